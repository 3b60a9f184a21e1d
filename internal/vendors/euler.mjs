// One call of Euler Stream's own SDK: node euler.mjs BASE KEY API METHOD ARG…, whose
// arguments are JSON. It prints what came.
import EulerStreamApiClient from '@eulerstream/euler-api-sdk';

const [base, apiKey, api, method, ...args] = process.argv.slice(2);
const sdk = new EulerStreamApiClient({ basePath: base, apiKey });
const { data } = await sdk[api][method](...args.map((a) => JSON.parse(a)));
console.log(JSON.stringify(data));
