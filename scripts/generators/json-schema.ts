import * as z from 'zod';
import { configurationSchema } from '../../src/model/schema.js';

/** Numbers may be written as strings, because `${PORT}` always is one. */
const numericString = { type: 'string', pattern: '^\\s*[-+]?(\\d|\\.\\d|0x)[\\d.eExXa-fA-F+-]*\\s*$|\\$\\{' };

/** Gives the JSON Schema of a configuration file as editors use it: what may be written, not what it becomes. */
export function configurationJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(configurationSchema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const mark = jsonSchema['secrets'];
      delete jsonSchema['secrets'];
      if (zodSchema instanceof z.ZodCustom && mark === 'open' && jsonSchema.description !== undefined) {
        jsonSchema.type = 'object';
      }
      const wrapped = zodSchema instanceof z.ZodPipe ? zodSchema.def.out : undefined;
      if (wrapped instanceof z.ZodNumber) {
        const { $schema: _, minimum, maximum, ...number } = z.toJSONSchema(wrapped, { target: 'draft-7' });
        const whole = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
        jsonSchema.anyOf = [
          {
            ...number,
            ...(minimum === undefined || minimum === whole.minimum ? {} : { minimum }),
            ...(maximum === undefined || maximum === whole.maximum ? {} : { maximum }),
          },
          numericString,
        ];
      }
    },
  });
}

/** The text of `schema/adc.schema.json`. */
export function renderJsonSchema(): string {
  const { $schema, ...schema } = configurationJsonSchema();
  return `${JSON.stringify({ $schema, title: 'ADC configuration', ...schema }, null, 2)}\n`;
}
