// Card payments, saved cards, refunds and disputes.
import { Absent, assert, collected, connect, flow, isLacking, refusal, sim } from "./harness.mjs";

const PAYMENT = {
  amount: 5_000,
  currency: "usd",
  payment_method: "pm_card_visa",
  confirm: true,
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
};

flow("a card pays, and the charge and its fee are expanded", async () => {
  const stripe = connect();
  const metadata = { flight: "F1" };
  const intent = await stripe.paymentIntents.create({ ...PAYMENT, expand: ["latest_charge"], metadata });
  assert.equal(intent.status, "succeeded");
  assert.equal(intent.latest_charge.paid, true);
  assert.equal(intent.latest_charge.metadata.flight, "F1");
  await sim.advance(60);
  const charge = await stripe.charges.retrieve(intent.latest_charge.id, {
    expand: ["balance_transaction", "payment_intent.payment_method"],
  });
  assert.equal(charge.balance_transaction.fee, 175);
  assert.equal(charge.balance_transaction.fee_details[0].type, "stripe_fee");
  assert.equal(charge.payment_intent.payment_method.card.last4, "4242");
});

flow("an intent is made, updated, confirmed later, and captured by hand", async () => {
  const stripe = connect();
  const made = await stripe.paymentIntents.create({ amount: 3_000, currency: "usd", capture_method: "manual" });
  assert.equal(made.status, "requires_payment_method");
  await stripe.paymentIntents.update(made.id, { amount: 4_000, description: "Two hours", metadata: { a: "b" } });
  const held = await stripe.paymentIntents.confirm(made.id, {
    payment_method: "pm_card_visa",
    return_url: "https://school.example.com/paid",
  });
  assert.deepEqual([held.status, held.amount_capturable], ["requires_capture", 4_000]);
  const taken = await stripe.paymentIntents.capture(made.id, { amount_to_capture: 4_000 });
  assert.deepEqual([taken.status, taken.amount_received], ["succeeded", 4_000]);
  const late = await refusal(stripe.paymentIntents.cancel(made.id), "StripeInvalidRequestError");
  assert.equal(late.code, "payment_intent_unexpected_state");
  assert.equal(late.payment_intent.id, made.id);
});

flow("an intent is cancelled with its reason", async () => {
  const stripe = connect();
  const made = await stripe.paymentIntents.create({ amount: 3_000, currency: "usd" });
  const gone = await stripe.paymentIntents.cancel(made.id, { cancellation_reason: "requested_by_customer" });
  assert.deepEqual([gone.status, gone.cancellation_reason], ["canceled", "requested_by_customer"]);
});

flow("a declined card is a card error with its code and charge", async () => {
  const stripe = connect();
  for (const [card, code, declineCode] of [
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", undefined],
  ]) {
    const error = await refusal(stripe.paymentIntents.create({ ...PAYMENT, payment_method: card }), "StripeCardError");
    assert.deepEqual([error.statusCode, error.rawType, error.code], [402, "card_error", code]);
    if (declineCode) assert.equal(error.decline_code, declineCode);
    assert.match(error.requestId, /^req_/);
    const failed = await stripe.charges.retrieve(error.charge);
    assert.equal(failed.status, "failed");
    assert.equal(error.payment_intent.status, "requires_payment_method");
    const again = await stripe.paymentIntents.confirm(error.payment_intent.id, { payment_method: "pm_card_visa" });
    assert.equal(again.status, "succeeded");
  }
});

flow("a card that must be authenticated waits for its payer", async () => {
  const stripe = connect();
  const intent = await stripe.paymentIntents.create({
    amount: 5_000,
    currency: "usd",
    payment_method: "pm_card_threeDSecure2Required",
    confirm: true,
    automatic_payment_methods: { enabled: true },
    return_url: "https://school.example.com/paid",
  });
  assert.equal(intent.status, "requires_action");
  assert.equal(intent.next_action.type, "redirect_to_url");
  await sim.trigger("payment_intent.authenticated", { payment_intent: intent.id });
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, "succeeded");
});

flow("an absent payer's card that must be authenticated is declined", async () => {
  const stripe = connect();
  const customer = await stripe.customers.create({ email: "amelia@example.com" });
  const saved = await stripe.paymentMethods.attach("pm_card_authenticationRequired", { customer: customer.id });
  const error = await refusal(
    stripe.paymentIntents.create({
      ...PAYMENT, customer: customer.id, payment_method: saved.id, off_session: true,
    }),
    "StripeCardError",
  );
  assert.equal(error.code, "authentication_required");
  assert.equal(error.payment_method.id, saved.id);
});

flow("a customer is kept with address, metadata and default card", async () => {
  const stripe = connect();
  const customer = await stripe.customers.create({
    email: "amelia@example.com",
    name: "Amelia",
    address: { line1: "1 Airport Road", city: "Atchison", country: "US", postal_code: "66002" },
    metadata: { hobbs_student: "S1" },
    preferred_locales: ["en", "de"],
  });
  assert.equal(customer.address.city, "Atchison");
  assert.deepEqual(customer.preferred_locales, ["en", "de"]);
  const card = await stripe.paymentMethods.attach("pm_card_mastercard", { customer: customer.id });
  const changed = await stripe.customers.update(customer.id, {
    invoice_settings: { default_payment_method: card.id },
    address: { line1: "2 Airport Road", city: "Wichita", country: "US" },
    phone: "+15550100",
  });
  assert.deepEqual([changed.address.city, changed.phone], ["Wichita", "+15550100"]);
  const full = await stripe.customers.retrieve(customer.id, { expand: ["invoice_settings.default_payment_method"] });
  assert.equal(full.invoice_settings.default_payment_method.card.brand, "mastercard");
  assert.equal((await stripe.customers.list({ email: "amelia@example.com" })).data.length, 1);
  assert.equal((await stripe.customers.listPaymentMethods(customer.id, { type: "card" })).data[0].id, card.id);
  const one = await stripe.customers.retrievePaymentMethod(customer.id, card.id);
  assert.equal(one.id, card.id);
  assert.equal((await stripe.paymentMethods.detach(card.id)).customer, null);
  assert.equal((await stripe.customers.del(customer.id)).deleted, true);
  assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true);
});

flow("customers are paged through though the newest are deleted", async () => {
  const stripe = connect();
  const made = [];
  for (let number = 0; number < 5; number++) made.push((await stripe.customers.create({ name: `S${number}` })).id);
  for (const id of made.slice(2)) await stripe.customers.del(id);
  const found = await collected(stripe.customers.list({ limit: 1 }));
  assert.deepEqual(found.map((customer) => customer.id), made.slice(0, 2).reverse());
});

flow("a card is saved by a setup intent and charged later", async () => {
  const stripe = connect();
  const customer = await stripe.customers.create({ email: "amelia@example.com" });
  const intent = await stripe.setupIntents.create({
    customer: customer.id,
    usage: "off_session",
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  });
  const done = await stripe.setupIntents.confirm(intent.id, { payment_method: "pm_card_visa" });
  assert.equal(done.status, "succeeded");
  const paid = await stripe.paymentIntents.create({
    ...PAYMENT, customer: customer.id, payment_method: done.payment_method, off_session: true,
  });
  assert.equal(paid.status, "succeeded");
});

flow("setup intents are listed, cancelled and declined", async () => {
  const stripe = connect();
  const intent = await stripe.setupIntents.create({
    payment_method_options: { card: { request_three_d_secure: "any" } },
  });
  const listed = await stripe.setupIntents.list({ limit: 3 }).catch((error) => error);
  if (isLacking(listed)) throw new Absent("the simulator does not list setup intents");
  assert.equal(listed.data[0].id, intent.id);
  assert.equal((await stripe.setupIntents.cancel(intent.id)).status, "canceled");
  const declined = stripe.setupIntents.create({
    payment_method: "pm_card_chargeDeclined",
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  });
  const error = await refusal(declined, "StripeCardError");
  assert.equal(error.setup_intent.status, "requires_payment_method");
});

flow("a page of Checkout is made, read and closed", async () => {
  const stripe = connect();
  const made = await stripe.checkout.sessions.create({
    mode: "payment",
    success_url: "https://school.example.com/paid?session={CHECKOUT_SESSION_ID}",
    line_items: [
      { price_data: { currency: "usd", unit_amount: 9_900, product_data: { name: "Lesson" } }, quantity: 2 },
    ],
    metadata: { student: "S1" },
  }).catch((error) => error);
  if (isLacking(made)) throw new Absent("the simulator has no Checkout");
  assert.deepEqual([made.amount_total, made.status, made.metadata.student], [19_800, "open", "S1"]);
  assert.match(made.url, /^http/);
  assert.equal((await stripe.checkout.sessions.retrieve(made.id)).id, made.id);
  assert.equal((await stripe.checkout.sessions.expire(made.id)).status, "expired");
});

flow("a card is made from a test token", async () => {
  const stripe = connect();
  const method = await stripe.paymentMethods.create({
    type: "card",
    card: { token: "tok_visa" },
    billing_details: { name: "Amelia", address: { postal_code: "66002" } },
  });
  assert.deepEqual([method.type, method.billing_details.name], ["card", "Amelia"]);
  assert.equal(method.billing_details.address.postal_code, "66002");
  const changed = await stripe.paymentMethods.update(method.id, {
    billing_details: { email: "amelia@example.com" },
    metadata: { 7: "a key may be a number" },
  });
  assert.deepEqual([changed.billing_details.name, changed.billing_details.email], ["Amelia", "amelia@example.com"]);
  assert.deepEqual({ ...changed.metadata }, { 7: "a key may be a number" });
  const paid = await stripe.paymentIntents.create({ ...PAYMENT, payment_method: method.id });
  assert.equal((await stripe.charges.retrieve(paid.latest_charge)).billing_details.name, "Amelia");
});

flow("a payment is refunded in parts and not twice", async () => {
  const stripe = connect();
  await sim.fund(50_000);
  const intent = await stripe.paymentIntents.create(PAYMENT);
  const reason = "requested_by_customer";
  const part = await stripe.refunds.create({ payment_intent: intent.id, amount: 2_000, reason });
  assert.deepEqual([part.object, part.status], ["refund", "succeeded"]);
  await stripe.refunds.create({ charge: intent.latest_charge, metadata: { flight: "F1" } });
  const again = await refusal(stripe.refunds.create({ payment_intent: intent.id }), "StripeInvalidRequestError");
  assert.equal(again.code, "charge_already_refunded");
  assert.equal((await collected(stripe.refunds.list({ payment_intent: intent.id, limit: 1 }))).length, 2);
  assert.equal((await stripe.charges.retrieve(intent.latest_charge)).refunded, true);
  assert.equal((await stripe.refunds.update(part.id, { metadata: { note: "x" } })).metadata.note, "x");
});

flow("a charge shows its refunds where they are expanded", async () => {
  const stripe = connect();
  await sim.fund(50_000);
  const intent = await stripe.paymentIntents.create(PAYMENT);
  await stripe.refunds.create({ payment_intent: intent.id, amount: 2_000 });
  const charge = await stripe.charges.retrieve(intent.latest_charge, { expand: ["refunds"] }).catch((error) => error);
  if (/cannot be expanded/.test(charge.message ?? "")) throw new Absent("the simulator does not expand refunds");
  assert.equal(charge.refunds.data[0].amount, 2_000);
});

flow("a dispute is found, answered and closed", async () => {
  const stripe = connect();
  await sim.fund(50_000);
  const intent = await stripe.paymentIntents.create({ ...PAYMENT, payment_method: "pm_card_createDispute" });
  await sim.advance(60);
  const found = await stripe.disputes.list({ payment_intent: intent.id, expand: ["data.charge"] });
  assert.equal(found.data[0].charge.id, intent.latest_charge);
  const answered = await stripe.disputes.update(found.data[0].id, {
    evidence: { uncategorized_text: "The flight was flown", customer_name: "Amelia" },
    metadata: { case: "7" },
    submit: false,
  });
  assert.equal(answered.metadata.case, "7");
  assert.equal((await stripe.disputes.close(found.data[0].id)).status, "lost");
  const charge = await stripe.charges.retrieve(intent.latest_charge);
  assert.equal(charge.disputed, true);
});

flow("payments are searched for by what their metadata says", async () => {
  const stripe = connect();
  const found = await stripe.paymentIntents.search({ query: "metadata['flight']:'F1'" }).catch((error) => error);
  // Stripe's own search lags behind by up to a minute, so what is asked is that it is a search at all.
  if (found.type === "StripeInvalidRequestError") throw new Absent(`the simulator has no search: ${found.message}`);
  assert.equal(found.object, "search_result");
});
