// An HTTP server in which the vendors' own SDKs sign and check webhooks.
//
//   POST /sign/PROVIDER    answers the headers, as JSON, that the vendor would send with this body
//   POST /check/PROVIDER   answers 200 if the vendor's SDK accepts the request, else 400 and its reason
//
// It prints its port. TikTok has no SDK; its construction is Stripe's but for
// the name of one element, so Stripe's SDK judges it.
import http from 'node:http';
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import Stripe from 'stripe';
import { sign as githubSign, verify as githubVerify } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';

const require = createRequire(import.meta.url);
const { verifySlackRequest } = require('@slack/bolt/dist/receivers/verify-request.js');
const stripe = new Stripe('sk_test_x');
const env = process.env;
const now = () => Math.floor(Date.now() / 1000);

const vendors = {
  stripe: {
    sign: (body) => ({
      'Stripe-Signature': stripe.webhooks.generateTestHeaderString({ payload: body.toString('utf8'), secret: env.STRIPE_WEBHOOK_SECRET }),
    }),
    check: (body, h) => stripe.webhooks.constructEvent(body, h['stripe-signature'], env.STRIPE_WEBHOOK_SECRET),
  },
  github: {
    sign: async (body) => ({ 'X-Hub-Signature-256': await githubSign(env.GITHUB_WEBHOOK_SECRET, body.toString('utf8')), 'X-GitHub-Event': 'push' }),
    check: async (body, h) => {
      if (!(await githubVerify(env.GITHUB_WEBHOOK_SECRET, body.toString('utf8'), h['x-hub-signature-256']))) throw new Error('not signed');
    },
  },
  slack: {
    // Bolt only receives: what it checks is made here as its documentation says.
    sign: (body) => {
      const t = now();
      const mac = crypto.createHmac('sha256', env.SLACK_SIGNING_SECRET).update(`v0:${t}:`).update(body).digest('hex');
      return { 'X-Slack-Request-Timestamp': String(t), 'X-Slack-Signature': `v0=${mac}` };
    },
    check: (body, h) => verifySlackRequest({
      signingSecret: env.SLACK_SIGNING_SECRET,
      body: body.toString('utf8'),
      headers: { 'x-slack-signature': h['x-slack-signature'], 'x-slack-request-timestamp': Number(h['x-slack-request-timestamp']) },
    }),
  },
  'standard-webhooks': {
    sign: (body) => {
      const id = `msg_${crypto.randomUUID()}`;
      const at = new Date();
      return {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1000)),
        'webhook-signature': new Webhook(env.STANDARD_WEBHOOKS_SECRET).sign(id, at, body.toString('utf8')),
      };
    },
    check: (body, h) => new Webhook(env.STANDARD_WEBHOOKS_SECRET).verify(body.toString('utf8'), h),
  },
  tiktok: {
    sign: (body) => ({
      'TikTok-Signature': stripe.webhooks.generateTestHeaderString({ payload: body.toString('utf8'), secret: env.TIKTOK_CLIENT_SECRET, scheme: 's' }),
    }),
    check: (body, h) => stripe.webhooks.constructEvent(body, h['tiktok-signature'].replace(',s=', ',v1='), env.TIKTOK_CLIENT_SECRET),
  },
  // These have no SDK that receives. What an app does is written here as their
  // documentation says it, with Node's own crypto.
  euler: {
    check: (body, h) => same(h['x-webhook-signature'], hmac('sha256', env.EULER_WEBHOOK_SECRET, body, 'hex')),
  },
  'tencent-live': {
    check: (body, h, query) => {
      const at = query.get('RequestTime');
      if (Math.abs(now() - Number(at)) > 60) throw new Error('too old');
      same(query.get('Sign'), crypto.createHash('sha256').update(env.TENCENT_LIVE_TOKEN + at).digest('hex'));
      if (query.get('CallbackCommand') === null || query.get('SdkAppid') === null) throw new Error('no command');
    },
  },
  'tencent-trtc': {
    check: (body, h) => same(h.sign, hmac('sha256', env.TENCENT_TRTC_KEY, body, 'base64')),
  },
  'tencent-css': {
    check: (body) => {
      const { t, sign } = JSON.parse(body);
      if (t < now()) throw new Error('expired');
      same(sign, crypto.createHash('md5').update(env.TENCENT_CSS_KEY + t).digest('hex'));
    },
  },
};

function hmac(hash, key, body, encoding) {
  return crypto.createHmac(hash, key).update(body).digest(encoding);
}

function same(got, want) {
  if (got !== want) throw new Error(`signature ${got}, want ${want}`);
}

http.createServer((req, res) => {
  const parts = [];
  req.on('data', (d) => parts.push(d));
  req.on('end', async () => {
    const body = Buffer.concat(parts);
    const [, what, name] = req.url.split('?')[0].split('/');
    const query = new URLSearchParams(req.url.split('?')[1] ?? '');
    try {
      const out = await vendors[name][what](body, req.headers, query);
      res.end(what === 'sign' ? JSON.stringify(out) : `ok ${crypto.createHash('sha256').update(body).digest('hex')}`);
    } catch (e) {
      res.statusCode = 400;
      res.end(String(e.message));
    }
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
