import * as z from 'zod';
import { configurationSchema } from '../../src/model/schema.js';

/** Numbers may be written as strings, because `${PORT}` always is one. */
const numericString: z.core.JSONSchema.BaseSchema = {
  type: 'string',
  pattern: '^\\s*[-+]?(\\d|\\.\\d|0x)[\\d.eExXa-fA-F+-]*\\s*$|\\$\\{',
};

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
      if (zodSchema instanceof z.ZodPipe && zodSchema.def.out instanceof z.ZodNumber) {
        const { type, minimum, maximum, exclusiveMinimum } = jsonSchema;
        for (const key of ['type', 'minimum', 'maximum', 'exclusiveMinimum'] as const) delete jsonSchema[key];
        jsonSchema.anyOf = [
          {
            ...(type === undefined ? {} : { type }),
            ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
            ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
            ...(exclusiveMinimum === undefined ? {} : { exclusiveMinimum }),
          },
          { ...numericString },
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
