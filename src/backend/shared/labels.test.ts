import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelsFromAdmin, labelsToAdmin, nameFromLabel, nameToLabel } from './labels.js';

describe('labels', () => {
  it('are stored as strings, lists as their JSON text without spaces, and read back', () => {
    const labels = { team: 'a', tags: ['x', 'y'], none: [] };
    const stored = labelsToAdmin(labels);
    expect(stored).toEqual({ team: 'a', tags: '["x","y"]', none: '[]' });
    expect(labelsFromAdmin(stored)).toEqual(labels);
  });

  it('that only look like lists stay strings', () => {
    const labels = { a: '[1,2]', b: '["x", "y"]', c: '[x]', d: '["x"' };
    expect(labelsFromAdmin(labels)).toEqual(labels);
  });

  it('never lose a value, whatever it is', () => {
    const value = fc.oneof(fc.string(), fc.array(fc.string()));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value, { minKeys: 1 }), (labels) => {
        const stored = labelsToAdmin(labels);
        expect(labelsToAdmin(labelsFromAdmin(stored) ?? {})).toEqual(stored);
      }),
    );
  });

  it('that belong to the tool are left out, and none are no labels', () => {
    expect(labelsFromAdmin({ __ADC_NAME: 'x' }, ['__ADC_NAME'])).toBeUndefined();
    expect(labelsFromAdmin([])).toBeUndefined();
  });
});

describe('a name in a label', () => {
  it('has no white space and comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('a b', 'a%20b', '100%', 'Größe 1')),
        (name) => {
          const label = nameToLabel(name);
          expect(label).toMatch(/^\S+$/u);
          expect(nameFromLabel(label)).toBe(name);
        },
      ),
    );
  });

  it('is left as it is where it can be', () => {
    expect(nameToLabel('my-stream/1')).toBe('my-stream/1');
    expect(nameToLabel('my stream')).toBe('my%20stream');
  });
});
