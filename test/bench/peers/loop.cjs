// The barest way to make many calls: node:http, connections kept, sixteen at a time, every answer read whole.
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
const { API_URL, TOKEN, CALLS } = process.env;
const url = new URL('/item/123', API_URL);
const headers = { authorization: `OAuth2 ${TOKEN}` };
let left = Number(CALLS);
let answered = 0;

function next() {
  if (left-- <= 0) return;
  http.get(url, { agent, headers }, (answer) => {
    if (answer.statusCode !== 200) throw new Error(`the sandbox answered ${answer.statusCode}`);
    const chunks = [];
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString());
      if (++answered === Number(CALLS)) agent.destroy();
      next();
    });
  });
}
for (let at = 0; at < 16; at++) next();
