import { expect, test as it } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';
import { openShell } from './shell.js';

const wrong = `services:
  - name: shop
    plugins: { limit-count: { count: nonsense } }
    routes: [{ name: items, uris: [/items], plugins: { no-such-plugin: {} } }]
`;

it.for([
  ['3.2.2', 'local'],
  ['3.10.0', 'per-resource'],
  ['3.18.0', 'full'],
] as const)('validate looks as deep as a gateway %s lets it: %s', async ([gatewayVersion, depth], test) => {
  const emulator = await startEmulator({ gatewayVersion });
  test.onTestFinished(() => emulator.close());
  const shell = openShell(test).with({ ADC_SERVER: emulator.url, ADC_TOKEN: emulator.adminKey });
  shell.write('adc.yaml', wrong);
  const refused = await shell.adc(['validate', '--output', 'json']);
  expect(JSON.parse(refused.stdout)).toMatchObject({ success: false, depth });
  expect(refused.stdout).toContain('no-such-plugin');
  expect(refused.stdout).toContain('limit-count');
  expect(refused.status).toBe(1);

  shell.write('adc.yaml', 'services:\n  - name: shop\n    routes: [{ name: items, uris: [/items] }]\n');
  const taken = await shell.adc(['validate']);
  expect({ status: taken.status, said: taken.stderr }).toEqual({
    status: 0,
    said: expect.stringContaining('the configuration is valid') as string,
  });
});
