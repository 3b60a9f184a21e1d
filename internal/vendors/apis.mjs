// The vendors' own clients, which call the APIs at which devhook registers, on
// this machine: `node apis.mjs ID BASE-URL SECRET` makes a webhook, lists,
// changes and deletes it, and prints what the client made of it, as JSON.
import { Octokit } from '@octokit/rest';
import Stripe from 'stripe';
import twilio from 'twilio';
import { Api } from 'grammy';
import { ApiClient } from '@twurple/api';
import { AppTokenAuthProvider } from '@twurple/auth';

const [id, base, secret] = process.argv.slice(2);
const at = new URL(base);
const first = 'https://first.example/hooks';
const second = 'https://second.example/hooks';

// refusal is what the client makes of a call that is to be refused.
const refusal = async (call) => {
  try {
    await call();
    return 'not refused';
  } catch (e) {
    return e.status ?? e.statusCode ?? e.error_code ?? e.message;
  }
};

const vendors = {
  github: async () => {
    const client = (auth) => new Octokit({ auth, baseUrl: base, log: { debug() {}, info() {}, warn() {}, error() {} } });
    const api = client(secret);
    const { repos, orgs } = api.rest;
    const repo = { owner: 'octocat', repo: 'hello' };
    const hook = { ...repo, events: ['push'], config: { url: first, content_type: 'json', secret: 'x'.repeat(20) } };
    const made = (await repos.createWebhook(hook)).data;
    const twice = await refusal(() => repos.createWebhook(hook));
    // The method takes a parameter url for the address of the call.
    await api.request(`PATCH /repos/octocat/hello/hooks/${made.id}/config`, { data: { url: second } });
    await repos.pingWebhook({ ...repo, hook_id: made.id });
    const listed = (await repos.listWebhooks({ ...repo, per_page: 100 })).data.map((h) => h.config.url);
    await repos.deleteWebhook({ ...repo, hook_id: made.id });
    return {
      listed, twice, secret: made.config.secret, left: (await repos.listWebhooks(repo)).data.length,
      org: (await orgs.listWebhooks({ org: 'acme' })).data.length,
      gone: await refusal(() => repos.getWebhook({ ...repo, hook_id: made.id })),
      unknown: await refusal(() => client('wrong').rest.repos.listWebhooks(repo)),
    };
  },
  stripe: async () => {
    const client = (key) => new Stripe(key, { host: at.hostname, port: at.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false }).webhookEndpoints;
    const endpoints = client(secret);
    const made = await endpoints.create({ url: first, enabled_events: ['invoice.paid', 'invoice.created'], metadata: { devhook: 'M' } });
    await endpoints.update(made.id, { url: second });
    for (let i = 0; i < 15; i++) await endpoints.create({ url: `${first}/${i}`, enabled_events: ['*'] });
    const seventeenth = await refusal(() => endpoints.create({ url: first, enabled_events: ['*'] }));
    const all = [];
    for await (const one of endpoints.list({ limit: 7 })) all.push(one);
    const mine = all.find((one) => one.metadata.devhook === 'M');
    const deleted = await endpoints.del(mine.id);
    return {
      total: all.length, seventeenth, url: mine.url, events: mine.enabled_events.length, told: Boolean(made.secret), again: Boolean(mine.secret), deleted: deleted.deleted,
      gone: await refusal(() => endpoints.retrieve(made.id)), unknown: await refusal(() => client('sk_test_wrong').list()),
    };
  },
  telegram: async () => {
    const client = (token) => new Api(token, { apiRoot: base });
    const bot = client(secret);
    await bot.setWebhook(first, { secret_token: 'abc_-1', allowed_updates: ['message'] });
    const info = await bot.getWebhookInfo();
    const port = await refusal(() => bot.setWebhook('https://first.example:8080/x'));
    const plain = await refusal(() => bot.setWebhook('http://first.example/x'));
    const words = await refusal(() => bot.setWebhook(first, { secret_token: 'not this' }));
    await bot.deleteWebhook();
    return { url: info.url, updates: info.allowed_updates, port, plain, words, left: (await bot.getWebhookInfo()).url, unknown: await refusal(() => client('123456:wrong-wrong').getWebhookInfo()) };
  },
  twilio: async () => {
    // The client knows the vendor's hosts only: each request goes to this machine.
    class Here {
      async request(o) {
        const u = new URL(o.uri);
        for (const [k, v] of Object.entries(o.params ?? {})) u.searchParams.set(k, v);
        const headers = { ...o.headers };
        if (o.username) headers.Authorization = 'Basic ' + Buffer.from(`${o.username}:${o.password}`).toString('base64');
        const r = await fetch(base + u.pathname + u.search, { method: o.method, headers, body: o.data ? new URLSearchParams(o.data) : undefined });
        return { statusCode: r.status, body: await r.text(), headers: Object.fromEntries(r.headers) };
      }
    }
    const sid = 'AC0123456789abcdef0123456789abcdef';
    const client = (token) => twilio(sid, token, { httpClient: new Here() });
    const account = client(secret);
    const [number] = await account.incomingPhoneNumbers.list({ phoneNumber: '+15017122661' });
    const before = number.smsUrl;
    const after = await account.incomingPhoneNumbers(number.sid).update({ smsUrl: first, smsMethod: 'POST', smsApplicationSid: '' });
    const service = await account.messaging.v1.services('MG0123456789abcdef0123456789abcdef').update({ inboundRequestUrl: second, useInboundWebhookOnNumber: false });
    return {
      before, sms: after.smsUrl, method: after.smsMethod, inbound: service.inboundRequestUrl, own: service.useInboundWebhookOnNumber,
      bad: await refusal(() => account.incomingPhoneNumbers(number.sid).update({ smsUrl: 'not a URL' })),
      gone: await refusal(() => account.incomingPhoneNumbers('PN0123456789abcdef0123456789abcde0').fetch()),
      unknown: await refusal(() => client('wrong').incomingPhoneNumbers.list()),
    };
  },
  twitch: async () => {
    // The client knows the vendor's hosts only: each request goes to this machine.
    const real = globalThis.fetch;
    globalThis.fetch = (to, options) => {
      const u = new URL(to instanceof Request ? to.url : to);
      return real(base + u.pathname + u.search, options ?? to);
    };
    const client = (s) => new ApiClient({ authProvider: new AppTokenAuthProvider('app-1', s) }).eventSub;
    const api = client(secret);
    const transport = { method: 'webhook', callback: first, secret: 'x'.repeat(20) };
    const made = await api.subscribeToStreamOnlineEvents('1', transport);
    const twice = await refusal(() => api.subscribeToStreamOnlineEvents('1', transport));
    const short = await refusal(() => api.subscribeToStreamOfflineEvents('1', { ...transport, secret: 'short' }));
    const plain = await refusal(() => api.subscribeToStreamOfflineEvents('1', { ...transport, callback: 'http://first.example/x' }));
    await api.getSubscriptionsForType('stream.online');
    const listed = (await api.getSubscriptionsForType('stream.online')).data.map((s) => `${s.id === made.id} ${s.status}`);
    await api.deleteSubscription(made.id);
    return {
      status: made.status, listed, twice, short, plain, left: (await api.getSubscriptions()).data.length, gone: await refusal(() => api.deleteSubscription(made.id)),
    };
  },
};

console.log(JSON.stringify(await vendors[id]()));
