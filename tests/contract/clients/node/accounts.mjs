// Connected accounts as the README of stripe-node and docs.stripe.com/connect show them.
import {
  Absent, EXPRESS, allowV1Accounts, assert, collected, connect, flow, isLacking, newPayee, recipient,
  refusal, sim,
} from "./harness.mjs";

flow("an express account is made, onboarded by its link, and can be paid", async () => {
  const stripe = connect();
  await allowV1Accounts();
  const account = await stripe.accounts.create({
    ...EXPRESS,
    business_type: "individual",
    business_profile: { product_description: "Flight instruction", url: "https://school.example.com" },
    individual: { first_name: "Amelia", last_name: "Earhart", dob: { day: 24, month: 7, year: 1980 } },
    metadata: { instructor: "I7" },
    settings: { payouts: { schedule: { interval: "manual" } } },
  });
  assert.match(account.id, /^acct_/);
  assert.equal(account.metadata.instructor, "I7");
  assert.equal(account.settings.payouts.schedule.interval, "manual");
  assert.equal(account.charges_enabled, false);
  assert.ok(account.requirements.currently_due.length > 0);
  assert.equal(account.lastResponse.statusCode, 200);
  assert.match(account.lastResponse.requestId, /^req_/);
  const link = await stripe.accountLinks.create({
    account: account.id,
    type: "account_onboarding",
    refresh_url: "https://school.example.com/again",
    return_url: "https://school.example.com/done",
    collection_options: { fields: "eventually_due", future_requirements: "include" },
  });
  assert.ok(link.expires_at > link.created);
  const page = await fetch(link.url);
  assert.equal(page.status, 200);
  const done = await fetch(link.url, { method: "POST", body: "outcome=complete", redirect: "manual" });
  assert.equal(done.headers.get("location"), "https://school.example.com/done");
  const ready = await stripe.accounts.retrieve(account.id);
  assert.equal(ready.capabilities.transfers, "active");
  assert.equal(ready.payouts_enabled, true);
  const login = await stripe.accounts.createLoginLink(account.id);
  assert.match(login.url, /^https?:/);
});

flow("an account by controller properties has no type", async () => {
  const stripe = connect();
  await allowV1Accounts();
  const account = await stripe.accounts.create({
    country: "US",
    controller: {
      fees: { payer: "application" },
      losses: { payments: "application" },
      stripe_dashboard: { type: "express" },
    },
    capabilities: EXPRESS.capabilities,
  });
  assert.equal(account.type, "none");
  assert.equal(account.controller.is_controller, true);
  assert.equal(account.controller.losses.payments, "application");
});

flow("capabilities are listed, retrieved and requested one by one", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe);
  const listed = await stripe.accounts.listCapabilities(payee);
  assert.deepEqual(listed.data.map((capability) => capability.id).sort(), ["card_payments", "transfers"]);
  const transfers = await stripe.accounts.retrieveCapability(payee, "transfers");
  assert.deepEqual([transfers.object, transfers.status, transfers.requested], ["capability", "active", true]);
  const asked = await stripe.accounts.updateCapability(payee, "us_bank_account_ach_payments", { requested: true });
  assert.equal(asked.account, payee);
  assert.equal(asked.requested, true);
});

flow("an account is updated, its metadata merged and a key of it deleted by null", async () => {
  const stripe = connect();
  const payee = await newPayee(stripe, { metadata: { a: "1", b: "2" } });
  const merged = await stripe.accounts.update(payee, { metadata: { b: null, c: "3" }, email: "new@example.com" });
  assert.deepEqual({ ...merged.metadata }, { a: "1", c: "3" });
  const emptied = await stripe.accounts.update(payee, { metadata: "" });
  assert.deepEqual({ ...emptied.metadata }, {});
  assert.equal(emptied.email, "new@example.com");
});

flow("accounts are paged through though the newest are deleted", async () => {
  const stripe = connect();
  await allowV1Accounts();
  const made = [];
  for (let number = 0; number < 5; number++) {
    made.push((await stripe.accounts.create({ ...EXPRESS, metadata: { number } })).id);
  }
  for (const id of made.slice(2)) assert.equal((await stripe.accounts.del(id)).deleted, true);
  const found = await collected(stripe.accounts.list({ limit: 1 }));
  assert.deepEqual(found.map((account) => account.id), made.slice(0, 2).reverse());
});

flow("the platform retrieves its own account", async () => {
  const own = await connect().accounts.retrieve();
  assert.equal(own.object, "account");
  assert.equal((await connect().accounts.retrieveCurrent()).id, own.id);
});

flow("another platform's account is a permission error", async () => {
  const error = await refusal(connect().accounts.retrieve("acct_of_nobody"), "StripePermissionError");
  assert.equal(error.statusCode, 403);
  assert.equal(error.code, "account_invalid");
  const acting = connect().balance.retrieve({}, { stripeAccount: "acct_of_nobody" });
  assert.equal((await refusal(acting, "StripePermissionError")).code, "account_invalid");
});

flow("a v1 account is refused where the platform is new", async () => {
  const settings = await sim.settings({});
  if (!("v1_accounts" in settings)) throw new Absent("the simulator takes v1 accounts from every platform");
  if (settings.v1_accounts) await sim.settings({ v1_accounts: false });
  const error = await refusal(connect().accounts.create(EXPRESS), "StripeInvalidRequestError");
  assert.equal(error.statusCode, 400);
  assert.match(error.message, /v2\/core\/accounts/);
});

flow("a recipient is made by v2, onboarded and paid", async () => {
  const stripe = connect();
  const probe = await stripe.v2.core.accounts.retrieve("acct_of_nobody").then(() => null, (error) => error);
  if (isLacking(probe)) throw new Absent("the simulator has no /v2/core/accounts");
  const account = await stripe.v2.core.accounts.create({
    ...recipient(),
    include: ["configuration.merchant", "configuration.recipient", "identity", "requirements"],
    metadata: { instructor: "I7" },
  });
  assert.equal(account.object, "v2.core.account");
  assert.equal(account.metadata.instructor, "I7");
  const link = await stripe.v2.core.accountLinks.create({
    account: account.id,
    use_case: {
      type: "account_onboarding",
      account_onboarding: {
        configurations: ["merchant", "recipient"],
        refresh_url: "https://school.example.com/again",
        return_url: "https://school.example.com/done",
      },
    },
  });
  assert.match(link.url, /^http/);
  await sim.onboard(account.id);
  const ready = await stripe.v2.core.accounts.retrieve(account.id, { include: ["configuration.recipient"] });
  assert.equal(ready.configuration.recipient.capabilities.stripe_balance.stripe_transfers.status, "active");
  await sim.fund(10_000);
  const transfer = await stripe.transfers.create({ amount: 1_000, currency: "usd", destination: account.id });
  assert.equal(transfer.destination, account.id);
  assert.equal((await stripe.accounts.retrieve(account.id)).id, account.id);
});
