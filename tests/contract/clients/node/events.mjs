// Webhooks as an endpoint of an outside user verifies them, and the list of events.
import {
  Absent, Stripe, assert, collected, connect, flow, isLacking, newPayee, recipient, serving, sim,
} from "./harness.mjs";

const ok = (_, response) => response.end();

function endpoint(stripe, port, more = {}) {
  return stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${port}/stripe`,
    enabled_events: ["*"],
    description: "the school",
    metadata: { school: "1" },
    ...more,
  });
}

flow("a delivered event is verified, and a tampered, stale or foreign one is not", async () => {
  const stripe = connect();
  await serving(ok, async ({ port, until }) => {
    const made = await endpoint(stripe, port);
    assert.match(made.secret, /^whsec_/);
    const customer = await stripe.customers.create({ email: "amélia@example.com", name: "Amélia ✈" });
    const came = await until((entry) => entry.body.includes("customer.created"));
    const signature = came.headers["stripe-signature"];
    const event = stripe.webhooks.constructEvent(came.body, signature, made.secret);
    assert.deepEqual([event.type, event.object, event.data.object.id], ["customer.created", "event", customer.id]);
    assert.equal(event.data.object.name, "Amélia ✈");
    assert.equal(event.livemode, false);
    const asynchronous = await stripe.webhooks.constructEventAsync(came.body.toString(), signature, made.secret);
    assert.equal(asynchronous.id, event.id);
    const tampered = came.body.toString().replace("example.com", "example.org");
    const wrong = Stripe.errors.StripeSignatureVerificationError;
    const refused = (...given) => assert.throws(() => stripe.webhooks.constructEvent(...given), wrong);
    refused(tampered, signature, made.secret);
    refused(came.body, signature, "whsec_other");
    refused(came.body, signature, made.secret, 300, undefined, Date.now() + 400_000);
    assert.equal((await stripe.events.retrieve(event.id)).id, event.id);
    await sim.resend(event.id, "forged");
    const forged = await until((entry) => entry.body.includes("forged"));
    refused(forged.body, forged.headers["stripe-signature"], made.secret);
    assert.match(came.headers["content-type"], /application\/json/);
  });
});

flow("a Connect endpoint gets the account's events with the account's id", async () => {
  const stripe = connect();
  await serving(ok, async ({ port, until }) => {
    const made = await endpoint(stripe, port, { connect: true });
    const payee = await newPayee(stripe);
    await sim.fund(10_000);
    await stripe.transfers.create({ amount: 5_000, currency: "usd", destination: payee });
    const came = await until((entry) => entry.body.includes("payment.created"));
    const event = stripe.webhooks.constructEvent(came.body, came.headers["stripe-signature"], made.secret);
    assert.equal(event.account, payee);
    assert.equal(event.data.object.amount, 5_000);
  });
});

flow("an event that is answered 500 comes again", async () => {
  const stripe = connect();
  const answer = (_, response, count) => {
    response.statusCode = count === 1 ? 500 : 200;
    response.end();
  };
  await serving(answer, async ({ port, arrived, until }) => {
    await endpoint(stripe, port, { enabled_events: ["customer.created"] });
    await stripe.customers.create({ name: "Amelia" });
    await until(() => arrived.length === 2);
    assert.equal(JSON.parse(arrived[0].body).id, JSON.parse(arrived[1].body).id);
  });
});

flow("a webhook endpoint is changed, listed and deleted, and shows its secret once", async () => {
  const stripe = connect();
  const made = await endpoint(stripe, 9, { enabled_events: ["charge.succeeded", "charge.failed"] });
  assert.equal((await stripe.webhookEndpoints.retrieve(made.id)).secret, undefined);
  const changed = await stripe.webhookEndpoints.update(made.id, {
    enabled_events: ["charge.succeeded"],
    description: "another",
    disabled: true,
  });
  assert.deepEqual(changed.enabled_events, ["charge.succeeded"]);
  assert.deepEqual([changed.status, changed.description], ["disabled", "another"]);
  assert.equal((await stripe.webhookEndpoints.list()).data.length, 1);
  assert.equal((await stripe.webhookEndpoints.del(made.id)).deleted, true);
});

flow("events are listed by type and time, newest first", async () => {
  const stripe = connect();
  for (const name of ["A", "B", "C"]) await stripe.customers.create({ name });
  await stripe.paymentIntents.create({ amount: 500, currency: "usd" });
  const created = await collected(stripe.events.list({ type: "customer.created", limit: 2 }));
  assert.deepEqual(created.map((event) => event.data.object.name), ["C", "B", "A"]);
  const two = await stripe.events.list({ types: ["customer.created", "payment_intent.created"], limit: 100 });
  assert.equal(two.data.length, 4);
  const all = await stripe.events.list({ created: { gte: Math.floor(Date.now() / 1000) - 60 } });
  assert.equal(all.data[0].type, "payment_intent.created");
  assert.match(all.data[0].request.id, /^req_/);
  assert.match(all.data[0].request.idempotency_key, /^stripe-node-retry-/);
  const before = await stripe.customers.update(all.data[1].data.object.id, { name: "D" });
  const update = (await stripe.events.list({ type: "customer.updated" })).data[0];
  assert.equal(update.data.object.name, before.name);
  assert.equal(update.data.previous_attributes.name, "C");
});

flow("a delivered thin event is parsed, and its event and object are fetched", async () => {
  const stripe = connect();
  await serving(ok, async ({ port, until }) => {
    const destination = await stripe.v2.core.eventDestinations
      .create({
        name: "the school",
        type: "webhook_endpoint",
        event_payload: "thin",
        enabled_events: ["v2.core.account[identity].updated"],
        events_from: ["@accounts"],
        webhook_endpoint: { url: `http://127.0.0.1:${port}/thin` },
        include: ["webhook_endpoint.signing_secret"],
      })
      .catch((error) => error);
    if (isLacking(destination)) throw new Absent("the simulator has no event destinations");
    const secret = destination.webhook_endpoint.signing_secret;
    const account = await stripe.v2.core.accounts.create(recipient());
    await sim.onboard(account.id);
    const came = await until((entry) => entry.body.includes("v2.core.event"));
    const signature = came.headers["stripe-signature"];
    const notification = stripe.parseEventNotification(came.body, signature, secret);
    assert.equal(notification.type, "v2.core.account[identity].updated");
    assert.equal(notification.related_object.id, account.id);
    assert.equal((await notification.fetchRelatedObject()).id, account.id);
    assert.equal((await notification.fetchEvent()).id, notification.id);
    const wrong = Stripe.errors.StripeSignatureVerificationError;
    assert.throws(() => stripe.parseEventNotification(came.body, signature, "whsec_other"), wrong);
    assert.throws(() => stripe.webhooks.constructEvent(came.body, signature, secret), /thin event notification/);
  });
});
