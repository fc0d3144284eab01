import { describe, expect, test } from 'vitest';
import { parseDocument, serialiseDocument, shareWith, type Document } from '../../src/backend/standalone/document.js';
import { placeOf, refAt, takeInventory, type Inventory } from '../../src/backend/standalone/inventory.js';
import { createJob } from '../../src/backend/standalone/job.js';
import { KeptDocument } from '../../src/backend/standalone/remembered.js';
import { diff } from '../../src/pipeline/diff/diff.js';
import { configured } from '../support/emulated.js';
import { service } from './group.js';

function parsed(document: object): Document {
  const read = parseDocument(JSON.stringify(document));
  if (typeof read === 'string') throw new Error(read);
  return read;
}

const versions = {
  routes_conf_version: 5,
  services_conf_version: 5,
  upstreams_conf_version: 5,
  consumers_conf_version: 5,
};
const empty = {
  routes_conf_version: 0,
  services_conf_version: 0,
  upstreams_conf_version: 0,
  consumers_conf_version: 0,
};

function jobFor(newest: Inventory) {
  const { state } = configured({ services: [service('shop', ['a', 'b'])] });
  const changes = diff({ desired: state, current: newest.state, unmanaged: new Map() });
  return createJob({ newest, changes, desired: state }, () => 100);
}

describe('a job', () => {
  test('serialises a document once, however many instances get it', () => {
    const newest = takeInventory(parsed(versions));
    const job = jobFor(newest);
    const first = job.writeFor(newest, new Map());
    expect(first.content?.body).toContain('"routes_conf_version":100');
    expect(job.writeFor(newest, new Map())).toBe(first);
    const other = takeInventory(parsed({ ...versions, routes_conf_version: 7 }));
    expect(job.writeFor(other, new Map())).not.toBe(first);
    expect(job.writeFor(other, new Map()).content?.body).toBe(first.content?.body);
  });

  test('gives an empty instance what the newest is to hold, under its versions', () => {
    const route = {
      id: 'r',
      uri: '/r',
      upstream: { type: 'roundrobin', nodes: { '127.0.0.1:1': 1 } },
      modifiedIndex: 3,
    };
    const newest = takeInventory(
      parsed({ ...versions, routes: [route], protos: [{ id: 'p', content: 'x' }], protos_conf_version: 9 }),
    );
    const blank = takeInventory(parsed({ ...empty, protos_conf_version: 0 }));
    const body = JSON.parse(jobFor(newest).writeFor(blank, new Map()).content?.body ?? '') as Record<string, unknown>;
    expect(body).toMatchObject({
      protos: [{ id: 'p', content: 'x' }],
      protos_conf_version: 9,
      consumers_conf_version: 5,
    });
    expect(body['routes']).toMatchObject([route, { id: 'a' }, { id: 'b' }]);
  });

  test('finds objects whose ids hold what is encoded in paths', () => {
    const ids = ['a b', '50%', 'a/b', 'größe', 'a%2Fb'];
    const newest = takeInventory(
      parsed({
        ...versions,
        services: [{ id: 'shop', name: 'shop', plugins: {} }],
        routes: [...ids.map((id) => ({ id, uri: '/', service_id: 'shop' })), { id: 'lone %', uri: '/', plugins: {} }],
        consumers: [
          { username: 'ann', plugins: {} },
          ...ids.map((id) => ({ id: `ann/credentials/${id}`, plugins: { 'key-auth': { key: id } } })),
        ],
      }),
    );
    const { state } = configured({ services: [service('shop', ['a'])], consumers: [{ username: 'ann' }] });
    const changes = diff({ desired: state, current: newest.state, unmanaged: new Map() });
    expect(changes.filter(({ type }) => type === 'delete')).toHaveLength(2 * ids.length);
    const job = createJob({ newest, changes, desired: state }, () => 100);
    const body = JSON.parse(job.writeFor(newest, new Map()).content?.body ?? '') as Record<string, object[]>;
    expect(body['routes']).toMatchObject([{ id: 'lone %' }, { id: 'a' }]);
    expect(body['consumers']).toMatchObject([{ username: 'ann' }]);
    for (const ref of newest.objects.keys()) {
      const { section, id } = placeOf(ref);
      expect(refAt(section, id)).toBe(ref);
    }
  });
});

describe('a document', () => {
  test('keeps sections it has never heard of by their version alone', () => {
    const document = parsed({ ...versions, gadgets: [{ id: 'g' }], gadgets_conf_version: 4, 'X-Digest': 'd' });
    const body = serialiseDocument(document, (section) => section !== 'gadgets');
    expect(JSON.parse(body)).toEqual({
      ...versions,
      routes: [],
      services: [],
      upstreams: [],
      consumers: [],
      gadgets_conf_version: 4,
    });
  });

  test.each(['', 'null', '[]', '"x"', '{}', '{"routes":[]}', '{"routes_conf_version":"5"}', '<html>'])(
    'is nothing that says %s',
    (text) => {
      expect(parseDocument(text)).toBeTypeOf('string');
    },
  );

  test('shares what it has in common with another', () => {
    const one = parsed({ ...versions, routes: [{ id: 'a', uri: '/a' }], services: [{ id: 's' }] });
    const same = parsed({ ...versions, services: [{ id: 's' }], routes: [{ uri: '/a', id: 'a' }] });
    expect(shareWith(same, one)).toBe(one);
    const later = parsed({ ...versions, routes_conf_version: 6, routes: [{ id: 'b' }], services: [{ id: 's' }] });
    const shared = shareWith(later, one);
    expect(shared).not.toBe(one);
    expect(shared.sections.get('services')).toBe(one.sections.get('services'));
    expect(shared.sections.get('routes')?.items).toEqual([{ id: 'b' }]);
  });

  test('that is kept is the same document when it is read again, packed or not', async () => {
    const document = {
      ...versions,
      routes: Array.from({ length: 500 }, (_, id) => ({ id: `r${id}`, uri: `/größe/${id}` })),
    };
    const text = JSON.stringify(document);
    const kept = new KeptDocument(Buffer.from(text));
    expect(kept.bytes).toBe(Buffer.byteLength(text));
    const before = kept.inventory;
    expect(kept.inventory).toBe(before);
    expect(serialiseDocument(before.document, () => true)).toContain('/größe/499');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(kept.inventory.document).toEqual(before.document);
  });
});
