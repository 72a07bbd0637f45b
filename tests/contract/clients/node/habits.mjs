// What this client puts on the wire for the same orders as every other; ../habits.json has the comparison.
import { assert, connect, flow, newPayee, serving, sim, Stripe, url } from "./harness.mjs";
import { Agent } from "node:http";

const CUSTOMER = { id: "cus_1", object: "customer" };

function canned(entry, response) {
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Request-Id", "req_canned");
  response.end(JSON.stringify(CUSTOMER));
}

const local = (port, more = {}) => connect({ host: "127.0.0.1", port, ...more });

flow("habits on the wire", async () => {
  return serving(canned, async ({ port, arrived }) => {
    const stripe = local(port);
    await stripe.customers.create({
      preferred_locales: ["en", "de"],
      address: { city: "Wichita", line2: "" },
      metadata: { flight: "F 1/2", "key[with]brackets": "ä&=" },
      expand: ["tax", "sources"],
      name: "A~B*C'D",
    });
    await stripe.customers.update("cus_1", { metadata: { flight: null } });
    await stripe.customers.update("cus_1", { preferred_locales: [] });
    await stripe.customers.list({ created: { gte: 1_700_000_000 }, expand: ["data.sources"], limit: 3 });
    await stripe.accounts.create({ capabilities: { transfers: { requested: true } } });
    await stripe.customers.del("cus_1");
    const [first] = arrived;
    const named = (name) => first.headers[name] ?? null;
    return {
      wire: {
        bodies: arrived.map((entry) => [entry.method, entry.path, entry.body.toString()]),
        keys: arrived.map((entry) => entry.headers["idempotency-key"] ?? null),
        telemetry: arrived.map((entry) => "x-stripe-client-telemetry" in entry.headers),
        headers: {
          "accept-encoding": named("accept-encoding"),
          authorization: named("authorization").split(" ")[0],
          connection: named("connection"),
          "content-type": named("content-type"),
          "stripe-version": named("stripe-version"),
          "user-agent": named("user-agent"),
        },
      },
    };
  });
});

flow("one connection is used again for every request", async () => {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
  let sockets = 0;
  const create = httpAgent.createConnection.bind(httpAgent);
  httpAgent.createConnection = (...given) => {
    sockets++;
    return create(...given);
  };
  const stripe = connect({ httpAgent });
  for (let number = 0; number < 5; number++) await stripe.customers.create({ name: `S${number}` });
  await stripe.customers.retrieve("cus_nobody").catch(() => null);
  await stripe.customers.list({ limit: 2 });
  httpAgent.destroy();
  assert.equal(sockets, 1);
});

flow("an answer is read though the client asks for gzip", async () => {
  const answer = await fetch(new URL("/v1/balance", url), {
    headers: { Authorization: `Bearer ${process.env.HOBBS_SIM_KEY}`, "Accept-Encoding": "gzip, deflate" },
  });
  assert.equal((await answer.json()).object, "balance");
});

flow("a client on fetch does the same as one on node's http", async () => {
  const stripe = connect({ httpClient: Stripe.createFetchHttpClient() });
  const customer = await stripe.customers.create({ name: "Amelia", metadata: { a: "b" } });
  assert.equal((await stripe.customers.retrieve(customer.id)).metadata.a, "b");
  await assert.rejects(stripe.customers.retrieve("cus_nobody"), Stripe.errors.StripeInvalidRequestError);
});

flow("the answer repeats the version and account that were asked for", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  const balance = await stripe.balance.retrieve({}, { stripeAccount: payee });
  assert.equal(balance.lastResponse.apiVersion, Stripe.API_VERSION);
  assert.equal(balance.lastResponse.stripeAccount, payee);
});

flow("the context of a client is the account it acts for", async () => {
  const platform = connect();
  const payee = await newPayee(platform);
  await sim.fund(10_000, { account: payee });
  const balance = await platform.withStripeContext(payee).balance.retrieve();
  assert.equal(balance.available[0].amount, 10_000);
});

flow("twenty requests at once are all answered", async () => {
  const stripe = connect();
  const made = await Promise.all(Array.from({ length: 20 }, (_, n) => stripe.customers.create({ name: `S${n}` })));
  assert.equal(new Set(made.map((customer) => customer.id)).size, 20);
});

flow("a body of fifty long values is read whole", async () => {
  const stripe = connect();
  const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`key_${n}`, "ü".repeat(500)]));
  const customer = await stripe.customers.create({ metadata });
  assert.equal(customer.metadata.key_49.length, 500);
});
