// Money from the platform to a connected account, back, and out to its bank.
import { assert, collected, connect, flow, newPayee, refusal, sim } from "./harness.mjs";

flow("a transfer is made, found, reversed in parts, and both sides' rows are there", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  await sim.fund(50_000);
  const transfer = await stripe.transfers.create({
    amount: 9_000,
    currency: "usd",
    destination: payee,
    transfer_group: "FLIGHT_7",
    description: "Flights of June",
    metadata: { hobbs_operation_id: "7" },
  });
  assert.equal((await stripe.transfers.list({ transfer_group: "FLIGHT_7" })).data[0].id, transfer.id);
  const reversal = await stripe.transfers.createReversal(transfer.id, { amount: 2_000, metadata: { why: "sick" } });
  assert.deepEqual([reversal.object, reversal.transfer], ["transfer_reversal", transfer.id]);
  assert.equal((await stripe.transfers.retrieveReversal(transfer.id, reversal.id)).metadata.why, "sick");
  const changed = await stripe.transfers.updateReversal(transfer.id, reversal.id, { metadata: { why: "wind" } });
  assert.equal(changed.metadata.why, "wind");
  await stripe.transfers.createReversal(transfer.id);
  const whole = await stripe.transfers.retrieve(transfer.id, { expand: ["reversals"] });
  assert.deepEqual([whole.reversed, whole.amount_reversed], [true, 9_000]);
  assert.equal((await collected(stripe.transfers.listReversals(transfer.id, { limit: 1 }))).length, 2);
  const error = await refusal(stripe.transfers.createReversal(transfer.id), "StripeInvalidRequestError");
  assert.equal(error.statusCode, 400);
  const rows = await collected(stripe.balanceTransactions.list({}, { stripeAccount: payee }));
  assert.deepEqual(rows.map((row) => row.net), [-7_000, -2_000, 9_000]);
  assert.equal((await sim.effects("reversal")).length, 2);
});

flow("a transfer that cannot be made says why by its code", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  const poor = await refusal(
    stripe.transfers.create({ amount: 900, currency: "usd", destination: payee }),
    "StripeInvalidRequestError",
  );
  assert.equal(poor.code, "balance_insufficient");
  await sim.fund(10_000);
  const nobody = await refusal(
    stripe.transfers.create({ amount: 900, currency: "usd", destination: "acct_of_nobody" }),
    "StripeInvalidRequestError",
  );
  assert.deepEqual([nobody.code, nobody.param], ["resource_missing", "destination"]);
  assert.ok(nobody.doc_url);
  const fresh = await stripe.accounts.create({ type: "express", country: "US", capabilities: {
    card_payments: { requested: true }, transfers: { requested: true } } });
  const unready = await refusal(
    stripe.transfers.create({ amount: 900, currency: "usd", destination: fresh.id }),
    "StripeInvalidRequestError",
  );
  assert.equal(unready.code, "insufficient_capabilities_for_transfer");
});

flow("a payee pays out by hand and at once, with stripeAccount", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  await sim.fund(50_000);
  await stripe.transfers.create({ amount: 40_000, currency: "usd", destination: payee });
  const as = { stripeAccount: payee };
  const before = await stripe.balance.retrieve({ expand: ["instant_available.net_available"] }, as);
  assert.equal(before.available[0].amount, 40_000);
  const standard = await stripe.payouts.create({ amount: 10_000, currency: "usd", metadata: { n: 1 } }, as);
  assert.equal(standard.status, "pending");
  const instant = await stripe.payouts.create({ amount: 5_000, currency: "usd", method: "instant" }, as);
  assert.equal(instant.method, "instant");
  const after = await stripe.balance.retrieve({}, as);
  assert.ok(after.available[0].amount < 25_000, "an instant payout has its fee on top");
  await sim.advance(4 * 86_400);
  assert.equal((await stripe.payouts.retrieve(standard.id, {}, as)).status, "paid");
  const paid = await stripe.payouts.list({ status: "paid", limit: 3 }, as);
  assert.ok(paid.data.some((payout) => payout.id === instant.id));
  const elsewhere = await refusal(stripe.payouts.retrieve(standard.id), "StripeInvalidRequestError");
  assert.deepEqual([elsewhere.statusCode, elsewhere.code], [404, "resource_missing"]);
});

flow("a pending payout is cancelled", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  await sim.fund(10_000, { account: payee });
  const as = { stripeAccount: payee };
  const payout = await stripe.payouts.create({ amount: 10_000, currency: "usd" }, as);
  assert.equal((await stripe.payouts.cancel(payout.id, {}, as)).status, "canceled");
  assert.equal((await stripe.balance.retrieve({}, as)).available[0].amount, 10_000);
});

flow("a client of one account needs no option per call", async () => {
  const platform = connect();
  const payee = await newPayee(platform);
  await sim.fund(10_000, { account: payee });
  const own = connect({ stripeAccount: payee });
  assert.equal((await own.balance.retrieve()).available[0].amount, 10_000);
  assert.equal((await own.accounts.retrieve()).id, payee);
  await own.payouts.create({ amount: 1_000, currency: "usd" });
  assert.equal((await sim.effects("payout"))[0].account, payee);
});

flow("balance transactions are paged through forwards and backwards", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  await sim.fund(100_000);
  const made = [];
  for (let number = 1; number <= 7; number++) {
    const transfer = await stripe.transfers.create({ amount: number * 100, currency: "usd", destination: payee });
    made.push(transfer.balance_transaction);
  }
  const newestFirst = await collected(stripe.balanceTransactions.list({ type: "transfer", limit: 3 }));
  assert.deepEqual(newestFirst.map((row) => row.id), [...made].reverse());
  const onwards = stripe.balanceTransactions.list({ type: "transfer", limit: 3, ending_before: made[0] });
  assert.deepEqual((await collected(onwards)).map((row) => row.id), made.slice(1));
  const some = await stripe.balanceTransactions.list({ type: "transfer", limit: 2 }).autoPagingToArray({ limit: 5 });
  assert.equal(some.length, 5);
  const seen = [];
  await stripe.balanceTransactions.list({ type: "transfer", limit: 2 }).autoPagingEach((row) => {
    seen.push(row.id);
    return seen.length < 3;
  });
  assert.equal(seen.length, 3);
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const since = await stripe.balanceTransactions.list({ created: { gte: anHourAgo }, limit: 100 });
  assert.ok(since.data.length >= 7);
  const expanded = await stripe.balanceTransactions.list({ type: "transfer", limit: 1, expand: ["data.source"] });
  assert.equal(expanded.data[0].source.object, "transfer");
});

flow("a transfer takes its money from a charge", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  const intent = await stripe.paymentIntents.create({
    amount: 20_000, currency: "usd", payment_method: "pm_card_visa", confirm: true, transfer_group: "LESSON_1",
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  });
  const transfer = await stripe.transfers.create({
    amount: 15_000, currency: "usd", destination: payee, source_transaction: intent.latest_charge,
  });
  assert.equal(transfer.transfer_group, "LESSON_1");
  const full = await stripe.transfers.retrieve(transfer.id, {
    expand: ["source_transaction", "destination_payment", "balance_transaction"],
  });
  assert.equal(full.source_transaction.amount, 20_000);
  assert.equal(full.balance_transaction.amount, -15_000);
});

flow("every list that a bookkeeper reads takes its filters", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  const customer = await stripe.customers.create({ name: "Amelia" });
  await stripe.topups.create({ amount: 90_000, currency: "usd", description: "float", statement_descriptor: "Top-up" });
  await sim.advance(10 * 86_400);
  const intent = await stripe.paymentIntents.create({
    amount: 20_000, currency: "usd", customer: customer.id, payment_method: "pm_card_bypassPending", confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  });
  await sim.advance(60);
  const transfer = await stripe.transfers.create({ amount: 5_000, currency: "usd", destination: payee });
  await stripe.transfers.update(transfer.id, { description: "June", metadata: { month: "6" } });
  const payout = await stripe.payouts.create({ amount: 1_000, currency: "usd" });
  await stripe.payouts.update(payout.id, { metadata: { note: "n" } });
  const since = { created: { gte: 1, lte: 4_000_000_000 } };
  const ids = async (page) => (await page).data.map((item) => item.id);
  assert.deepEqual(await ids(stripe.charges.list({ payment_intent: intent.id })), [intent.latest_charge]);
  assert.deepEqual(await ids(stripe.charges.list({ customer: customer.id, ...since })), [intent.latest_charge]);
  assert.deepEqual(await ids(stripe.paymentIntents.list({ customer: customer.id, ...since })), [intent.id]);
  assert.deepEqual(await ids(stripe.transfers.list({ destination: payee, ...since })), [transfer.id]);
  assert.deepEqual(await ids(stripe.payouts.list({ arrival_date: { gte: 1 }, ...since })), [payout.id]);
  assert.equal((await stripe.topups.list(since)).data.length, 1);
  const row = await stripe.balanceTransactions.list({ source: transfer.id });
  assert.deepEqual(row.data.map((found) => found.id), [transfer.balance_transaction]);
  assert.equal((await stripe.balanceTransactions.list({ currency: "usd", limit: 100 })).has_more, false);
  const changed = await stripe.charges.update(intent.latest_charge, { metadata: { month: "6" }, description: "d" });
  assert.deepEqual([changed.metadata.month, changed.description], ["6", "d"]);
});

flow("the money that a payout carried is listed by it", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  await sim.fund(50_000);
  const transfer = await stripe.transfers.create({ amount: 9_000, currency: "usd", destination: payee });
  await sim.advance(4 * 86_400);
  const as = { stripeAccount: payee };
  const [payout] = (await stripe.payouts.list({}, as)).data;
  assert.equal(payout.automatic, true);
  const carried = await collected(stripe.balanceTransactions.list(
    { payout: payout.id, type: "payment", expand: ["data.source.source_transfer"] }, as));
  assert.deepEqual(carried.map((row) => row.source.source_transfer.id), [transfer.id]);
});
