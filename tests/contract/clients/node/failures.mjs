// What the client does by itself when an answer fails, and which class of error its user sees.
import { Stripe, assert, connect, flow, key, newPayee, refusal, sim, url } from "./harness.mjs";

const order = (payee) => ({ amount: 1_000, currency: "usd", destination: payee });

async function withMoney() {
  const payee = await newPayee(connect());
  await sim.fund(100_000);
  return payee;
}

// All at once, because each waits half a second before its retry.
flow("what the client retries by itself has one effect", async () => {
  const payee = await withMoney();
  const kinds = ["conflict", "reset", "timeout", "unavailable", "bad_gateway"];
  const cases = kinds.flatMap((kind) => [[kind, "before"], [kind, "after"]]);
  const retried = async ([kind, when], number) => {
    const metadata = { case: `${number}` };
    await sim.fault(kind, { path: "/v1/transfers", nth: 1, when, match: { "metadata.case": metadata.case } });
    const stripe = connect(kind === "timeout" ? { timeout: 1_500 } : {});
    const transfer = await stripe.transfers.create({ ...order(payee), metadata });
    const made = (await sim.effects("transfer")).filter((effect) => effect.metadata.case === metadata.case);
    assert.deepEqual(made.map((effect) => effect.object_id), [transfer.id], `${kind} ${when} the effect`);
    return made[0].idempotency_key;
  };
  const keys = await Promise.all(cases.map(retried));
  assert.equal(new Set(keys).size, cases.length);
  for (const name of keys) assert.match(name, /^stripe-node-retry-/);
});

flow("a timeout without retries is a connection error", async () => {
  const payee = await withMoney();
  await sim.fault("timeout", { path: "/v1/transfers", nth: 1 });
  const waiting = connect({ timeout: 200, maxNetworkRetries: 0 }).transfers.create(order(payee));
  const error = await refusal(waiting, "StripeConnectionError");
  assert.match(error.message, /timeout being reached/);
  assert.equal((await sim.effects("transfer")).length, 0);
});

flow("a saved 500 is replayed to the same key and not executed again", async () => {
  const payee = await withMoney();
  await sim.fault("server_error", { path: "/v1/transfers", nth: 1 });
  const error = await refusal(connect().transfers.create(order(payee)), "StripeAPIError");
  assert.equal(error.statusCode, 500);
  assert.equal((await sim.effects("transfer")).length, 0);
});

flow("too many requests are a rate limit error", async () => {
  const payee = await withMoney();
  await sim.fault("rate_limit", { path: "/v1/transfers", count: 5 });
  const error = await refusal(connect().transfers.create(order(payee)), "StripeRateLimitError");
  assert.deepEqual([error.statusCode, error.code], [429, "rate_limit"]);
});

flow("a locked object is retried where the answer says so", async () => {
  const payee = await withMoney();
  await sim.fault("lock_timeout", { path: "/v1/transfers", nth: 1 });
  const outcome = await connect().transfers.create(order(payee)).catch((error) => error);
  const count = (await sim.effects("transfer")).length;
  if (outcome.object === "transfer") {
    assert.equal(count, 1);
  } else {
    assert.ok(outcome instanceof Stripe.errors.StripeRateLimitError);
    assert.deepEqual([outcome.code, count], ["lock_timeout", 0]);
  }
});

flow("a key of the user's is replayed, and marked", async () => {
  const payee = await withMoney();
  const stripe = connect();
  const once = await stripe.transfers.create(order(payee), { idempotencyKey: "flight-7" });
  const again = await stripe.transfers.create(order(payee), { idempotencyKey: "flight-7" });
  assert.equal(again.id, once.id);
  assert.equal(once.lastResponse.idempotencyKey, "flight-7");
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  assert.equal(again.lastResponse.headers["original-request"], once.lastResponse.requestId);
});

flow("a key used for something else is an idempotency error", async () => {
  const payee = await withMoney();
  const stripe = connect();
  await stripe.transfers.create(order(payee), { idempotencyKey: "flight-7" });
  const other = stripe.transfers.create({ ...order(payee), amount: 2_000 }, { idempotencyKey: "flight-7" });
  const error = await refusal(other, "StripeIdempotencyError");
  assert.deepEqual([error.statusCode, error.rawType], [400, "idempotency_error"]);
  assert.equal((await sim.effects("transfer")).length, 1);
});

flow("one key at the same time is one effect", async () => {
  const payee = await withMoney();
  await sim.fault("slow", { path: "/v1/transfers", nth: 1, delay_s: 0.3 });
  const stripe = connect({ maxNetworkRetries: 3 });
  const both = await Promise.all([1, 2].map(() => stripe.transfers.create(order(payee), { idempotencyKey: "both" })));
  assert.equal(both[0].id, both[1].id);
  assert.equal((await sim.effects("transfer")).length, 1);
});

flow("a wrong key and no key are authentication errors", async () => {
  const wrong = new Stripe("pk_nothing", { host: url.hostname, port: url.port, protocol: "http" });
  const error = await refusal(wrong.balance.retrieve(), "StripeAuthenticationError");
  assert.equal(error.statusCode, 401);
  assert.doesNotMatch(error.message, /pk_nothing/);
  const other = await connect().balance.retrieve({}, { apiKey: key });
  assert.equal(other.object, "balance");
});

flow("wrong parameters name the parameter", async () => {
  const stripe = connect();
  const missing = await refusal(stripe.transfers.create({ amount: 100, currency: "usd" }), "StripeInvalidRequestError");
  assert.deepEqual([missing.code, missing.param], ["parameter_missing", "destination"]);
  const unknown = await refusal(
    stripe.transfers.create({ amount: 100, currency: "usd", destination: "acct_1", colour: "red" }),
    "StripeInvalidRequestError",
  );
  assert.deepEqual([unknown.code, unknown.param], ["parameter_unknown", "colour"]);
  const words = await refusal(
    stripe.transfers.create({ amount: "ten", currency: "usd", destination: "acct_1" }),
    "StripeInvalidRequestError",
  );
  assert.deepEqual([words.code, words.param], ["parameter_invalid_integer", "amount"]);
  const nothing = await refusal(stripe.customers.retrieve("cus_nobody"), "StripeInvalidRequestError");
  assert.deepEqual([nothing.statusCode, nothing.code, nothing.param], [404, "resource_missing", "id"]);
});

flow("an address that Stripe does not have is an invalid request", async () => {
  const error = await refusal(connect().rawRequest("GET", "/v1/nothing_here"), "StripeInvalidRequestError");
  assert.equal(error.statusCode, 404);
  assert.match(error.message, /Unrecognized request URL \(GET: \/v1\/nothing_here\)/);
});

flow("a raw request takes headers, parameters and nothing else", async () => {
  const payee = await withMoney();
  const stripe = connect();
  const account = await stripe.rawRequest("GET", `/v1/accounts/${payee}?expand[]=external_accounts`);
  assert.equal(account.id, payee);
  const transfer = await stripe.rawRequest("POST", "/v1/transfers", order(payee), {
    idempotencyKey: "raw-1",
    additionalHeaders: { "X-Anything": "1" },
  });
  assert.equal(transfer.object, "transfer");
  const own = await stripe.rawRequest("GET", "/v1/balance", null, { stripeAccount: payee });
  assert.equal(own.available[0].amount, 1_000);
});
