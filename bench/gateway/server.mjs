// A gateway that costs next to nothing: it reads requests off the socket itself, checks nothing, and answers what it has ready.
// One process for a whole run, told and asked over IPC.
//
// The first step of a path names the store: /accept takes every write, forgets it and has empty lists; /slow does the same
// 5 ms later; any other store keeps what is written, and lists it as a gateway of 3.18 would.
import { createServer } from 'node:net';

const latency = 5;
const counts = { connections: 0, open: 0, mostOpen: 0, requests: 0, writes: 0, bytes: 0 };
const stores = new Map();

function storeOf(name) {
  const known = stores.get(name) ?? { objects: new Map(), lists: new Map(), answers: new Map() };
  stores.set(name, known);
  return known;
}

let heads = new Map();
// The header with the time changes once a second.
setInterval(() => (heads = new Map()), 1000).unref();

function headOf(status) {
  const known = heads.get(status);
  if (known !== undefined) return known;
  const date = new Date().toUTCString();
  const head = `HTTP/1.1 ${status}\r\nDate: ${date}\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nServer: APISIX/3.18.0\r\nX-API-VERSION: v3\r\nContent-Length: `;
  heads.set(status, head);
  return head;
}

const written = '{"key":"/apisix/objects/1","value":{}}';
const nothing = '{"list":[],"total":0}';
const missing = '{"message":"Key not found"}';

/** Answers one request; `body` is a view that is gone when it returns. */
function answer(method, url, body) {
  const slash = url.indexOf('/', 1);
  const name = url.slice(1, slash);
  const path = url.slice(slash);
  if (method === 'PUT') {
    counts.writes += 1;
    if (name !== 'accept' && name !== 'slow') keep(storeOf(name), path, body);
    return ['201 Created', written];
  }
  if (name === 'accept' || name === 'slow') return ['200 OK', nothing];
  const store = storeOf(name);
  const list = listOf(store, path) ?? store.answers.get(path);
  if (list !== undefined) return ['200 OK', list];
  return path.includes('/credentials') || path.includes('/schema/') ? ['404 Not Found', missing] : ['200 OK', nothing];
}

function keep(store, path, body) {
  const split = path.lastIndexOf('/');
  const collection = path.slice(0, split);
  const objects = store.objects.get(collection) ?? new Map();
  store.objects.set(collection, objects);
  objects.set(path.slice(split + 1), body.toString());
  store.lists.delete(collection);
}

const time = 1_700_000_000;
const byText = (one, other) => (one < other ? -1 : 1);

/** A list as a gateway gives it: ordered by id, each object with what the gateway adds. */
function listOf(store, collection) {
  const ready = store.lists.get(collection);
  if (ready !== undefined) return ready;
  const objects = store.objects.get(collection);
  if (objects === undefined) return undefined;
  const key = collection.replace('/admin', '');
  const own = collection.endsWith('/consumers') ? '' : undefined;
  const items = [...objects.keys()].sort(byText).map((id, index) => {
    const value = { ...JSON.parse(objects.get(id)), ...(own ?? { id }), create_time: time, update_time: time };
    return `{"key":"${key}/${id}","value":${JSON.stringify(value)},"createdIndex":${index + 10},"modifiedIndex":${index + 10}}`;
  });
  const list = Buffer.from(`{"list":[${items.join(',')}],"total":${items.length}}`);
  store.lists.set(collection, list);
  return list;
}

const headEnd = Buffer.from('\r\n\r\n');

function lengthOf(head) {
  const match = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (match !== null) return Number(match[1]);
  if (/\r\ntransfer-encoding:/i.test(head)) throw new Error('a chunked request');
  return 0;
}

const server = createServer({ noDelay: true }, (socket) => {
  counts.connections += 1;
  counts.open += 1;
  counts.mostOpen = Math.max(counts.mostOpen, counts.open);
  let pending;
  socket.on('close', () => (counts.open -= 1));
  socket.on('error', () => socket.destroy());
  const send = ([status, body]) => {
    const head = headOf(status);
    if (typeof body === 'string') socket.write(`${head}${body.length}\r\n\r\n${body}`, 'latin1');
    else {
      socket.cork();
      socket.write(`${head}${body.length}\r\n\r\n`, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  };
  socket.on('data', (chunk) => {
    const buffer = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    pending = undefined;
    let at = 0;
    while (at < buffer.length) {
      const end = buffer.indexOf(headEnd, at);
      if (end === -1) break;
      const head = buffer.latin1Slice(at, end);
      const bodyAt = end + headEnd.length;
      const next = bodyAt + lengthOf(head);
      if (next > buffer.length) break;
      const afterMethod = head.indexOf(' ');
      const url = head.slice(afterMethod + 1, head.indexOf(' ', afterMethod + 1));
      counts.requests += 1;
      counts.bytes += next - bodyAt;
      const answered = answer(head.slice(0, afterMethod), url, buffer.subarray(bodyAt, next));
      if (url.startsWith('/slow/')) setTimeout(send, latency, answered);
      else send(answered);
      at = next;
    }
    if (at < buffer.length) pending = at === 0 ? buffer : buffer.subarray(at);
  });
});

/** All that was written to a store, in the order of paths. */
function writesOf(name) {
  const { objects } = storeOf(name);
  return [...objects]
    .flatMap(([collection, byId]) => [...byId].map(([id, body]) => [`${collection}/${id}`, body]))
    .sort(([one], [other]) => byText(one, other));
}

const questions = {
  /** What happened since it was asked last. */
  counts: () => {
    const told = { ...counts };
    for (const name of ['connections', 'requests', 'writes', 'bytes']) counts[name] = 0;
    counts.mostOpen = counts.open;
    return told;
  },
  writes: ({ store }) => writesOf(store),
  /** Gives a store answers that no write made, such as schemas, by path. */
  answers: ({ store, answers }) => {
    for (const [path, body] of Object.entries(answers)) storeOf(store).answers.set(path, Buffer.from(body));
    return {};
  },
  forget: ({ store }) => ({ known: stores.delete(store) }),
};

process.on('message', (message) => process.send(questions[message.question](message)));
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
