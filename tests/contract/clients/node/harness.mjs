// A flow: one thing that a user of stripe-node does, against an empty simulator. It passes when nothing is thrown.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const installed = createRequire(join(process.env.HOBBS_CLIENT_FOLDER, "package.json"));
export const Stripe = installed("stripe");
export const url = new URL(process.env.HOBBS_SIM_URL);
export const key = process.env.HOBBS_SIM_KEY;
export { assert };

export const flows = [];
export function flow(name, run) {
  flows.push({ name, run });
}

// A client as the README makes it, but for the address. Its one retry and its telemetry are the defaults.
export function connect(options = {}) {
  return new Stripe(key, { host: url.hostname, port: url.port, protocol: "http", ...options });
}

export class Absent extends Error {}

// The simulator's own API, which Stripe does not have (/_sim/, hobbs/local/stripe_sim/README.md).
async function call(method, path, given) {
  const answer = await fetch(new URL(`/_sim/${path}`, url), {
    method,
    body: given === undefined ? undefined : JSON.stringify(given),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`/_sim/${path}: ${body.error}`);
  return body;
}

export const sim = {
  reset: () => call("POST", "reset", {}),
  settings: (given) => call("POST", "settings", given),
  fund: (amount, more = {}) => call("POST", "fund", { amount, ...more }),
  onboard: (account, outcome = "complete") => call("POST", "onboard", { account, outcome }),
  fault: (kind, scope = {}) => call("POST", "faults", { kind, ...scope }),
  trigger: (event, more) => call("POST", "trigger", { event, ...more }),
  advance: (seconds) => call("POST", "clock", { advance_s: seconds }),
  resend: (event, variant) => call("POST", "resend", { event, variant }),
  effects: async (kind) => (await call("GET", `effects?kind=${kind}`)).effects,
  requests: async () => (await call("GET", "requests")).requests,
};

// A platform that has v1 accounts, where the simulator can refuse them.
export async function allowV1Accounts() {
  const settings = await call("GET", "settings");
  if ("v1_accounts" in settings) await sim.settings({ v1_accounts: true });
}

// The parameters of an account that a platform without Stripe's approval for transfers alone may ask for.
export const EXPRESS = {
  type: "express",
  country: "US",
  email: "amelia@example.com",
  capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
};

// The parameters of an account of API v2 that is paid by transfers.
export function recipient() {
  return {
    contact_email: "amelia@example.com",
    display_name: "Amelia Earhart",
    dashboard: "express",
    identity: { country: "us", entity_type: "individual" },
    configuration: {
      merchant: { capabilities: { card_payments: { requested: true } } },
      recipient: { capabilities: { stripe_balance: { stripe_transfers: { requested: true } } } },
    },
    defaults: { responsibilities: { fees_collector: "application", losses_collector: "application" } },
  };
}

export async function newPayee(stripe, more = {}) {
  await allowV1Accounts();
  const account = await stripe.accounts.create({ ...EXPRESS, ...more });
  await sim.onboard(account.id);
  return account.id;
}

// Whether the simulator lacks what was asked for, which Stripe has.
export function isLacking(error) {
  return /Unrecognized request URL|does not simulate/.test(error?.message ?? "");
}

export async function refusal(promise, type) {
  const error = await promise.then(
    (answer) => assert.fail(`${type} expected, but it was answered: ${JSON.stringify(answer)}`),
    (refused) => refused,
  );
  assert.equal(error.type, type, error.message);
  assert.ok(error instanceof Stripe.errors[type]);
  assert.ok(error instanceof Stripe.errors.StripeError);
  return error;
}

export async function collected(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

// An HTTP server for the time of `run`: every request with its raw body, answered by `answer`.
export async function serving(answer, run) {
  const arrived = [];
  const waiting = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const entry = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks) };
    arrived.push(entry);
    await answer(entry, response, arrived.length);
    for (const wake of waiting.splice(0)) wake();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const until = async (holds) => {
    const end = Date.now() + 10_000;
    while (!arrived.some(holds)) {
      const left = end - Date.now();
      assert.ok(left > 0, "it did not arrive within 10 s");
      await new Promise((resolve) => {
        waiting.push(resolve);
        setTimeout(resolve, left);
      });
    }
    return arrived.find(holds);
  };
  try {
    return await run({ port: server.address().port, arrived, until });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
