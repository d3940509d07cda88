// The unmodified SDK 1.12.0, with bindings as its own generator writes them.

import {
  DbConnectionBuilder,
  DbConnectionImpl,
  procedureSchema,
  procedures,
  reducerSchema,
  reducers,
  schema,
  t,
  table,
} from 'spacetimedb-1';
import { alike, opened, type Session } from './old_connection.js';
import { tell, type OldConnection, type Row } from './old_story.js';

const layer = { id: t.u32().primaryKey(), name: t.string(), isShown: t.bool() };
const key = {
  indexes: [{ name: 'id', algorithm: 'btree' as const, columns: ['id'] as ['id'] }],
  constraints: [{ name: 'layer_id_key', constraint: 'unique' as const, columns: ['id'] as ['id'] }],
};
const { schemaType } = schema(
  table({ name: 'layer', ...key }, layer),
  table({ name: 'tag' }, { layerId: t.u32(), text: t.string() }),
  table({ name: 'shown_layer' }, layer)
);
const { reducersType } = reducers(
  reducerSchema('put_layer', { id: t.u32(), name: t.string(), isShown: t.bool() }),
  reducerSchema('drop_layer', { id: t.u32() }),
  reducerSchema('put_tag', { layerId: t.u32(), text: t.string() }),
  reducerSchema('drop_tag', { layerId: t.u32(), text: t.string() }),
  reducerSchema('refuse_after_writing', {}),
  reducerSchema('break_after_writing', {})
);
const numbers = { a: t.u64(), b: t.u64() };
const REMOTE_MODULE = {
  versionInfo: { cliVersion: '1.12.0' as const },
  tables: schemaType.tables,
  reducers: reducersType.reducers,
  ...procedures(procedureSchema('add_two', numbers, t.u64()), procedureSchema('divide', numbers, t.u64())),
};

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string) => camel(`_${name}`);
const params = new Map(REMOTE_MODULE.reducers.map(one => [one.name as string, Object.keys(one.params)]));

const adapted = (connection: any, session: Session): OldConnection => ({
  ...session,
  ...alike(connection, name => connection.db[camel(name)]),
  call: (reducer, ...args) => {
    const names = params.get(reducer)!;
    const named = Object.fromEntries(names.map((name, place) => [name, args[place]]));
    connection.reducers[camel(reducer)](named);
  },
  quiet: (reducer, isQuiet) =>
    connection.setReducerFlags[camel(reducer)](isQuiet ? 'NoSuccessNotify' : 'FullUpdate'),
  onReducer: (reducer, heard) =>
    connection.reducers[`on${pascal(reducer)}`]((context: any, args: Row) => {
      const { status } = context.event;
      const text = status.tag === 'Failed' ? status.value : '';
      heard({ tag: status.tag, text, args: params.get(reducer)!.map(name => args[name]) });
    }),
  procedure: (name, args) => connection.procedures[camel(name)](args),
});

tell({
  open: options => {
    const builder = new DbConnectionBuilder(
      REMOTE_MODULE as any,
      (config: any) => new DbConnectionImpl(config) as any
    );
    if (options.confirmed !== undefined) builder.withConfirmedReads(options.confirmed);
    return opened(builder, 'onDisconnect', options, adapted);
  },
});
