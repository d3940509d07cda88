// The unmodified SDK 1.3.3 under its first name, with bindings in the style of its generator.

import {
  AlgebraicType,
  BinaryWriter,
  DbConnectionBuilder,
  DbConnectionImpl,
  ProductTypeElement,
  type CallReducerFlags,
  type TableCache,
} from 'spacetimedb-1.3';
import { env, tell, type OldConnection, type Row } from './old_story.js';

const product = (fields: Record<string, AlgebraicType>) =>
  AlgebraicType.createProductType(
    Object.entries(fields).map(([name, type]) => new ProductTypeElement(name, type))
  );
const [u32, string, bool] = [
  AlgebraicType.createU32Type(),
  AlgebraicType.createStringType(),
  AlgebraicType.createBoolType(),
];
const layer = product({ id: u32, name: string, isShown: bool });
const tag = product({ layerId: u32, text: string });
const ARGS: Record<string, AlgebraicType> = {
  put_layer: layer,
  drop_layer: product({ id: u32 }),
  put_tag: tag,
  drop_tag: tag,
  refuse_after_writing: product({}),
  break_after_writing: product({}),
};

type RemoteModule = ConstructorParameters<typeof DbConnectionBuilder>[0];

class Flags {
  readonly of: Record<string, CallReducerFlags> = {};
}

class Reducers {
  constructor(
    private connection: DbConnectionImpl,
    private flags: Flags
  ) {}

  call(reducer: string, args: unknown[]): void {
    const type = ARGS[reducer]!;
    const names = type.product.elements.map(({ name }) => name);
    const writer = new BinaryWriter(1024);
    type.serialize(writer, Object.fromEntries(names.map((name, place) => [name, args[place]])));
    const flags = this.flags.of[reducer] ?? 'FullUpdate';
    this.connection.callReducer(reducer, writer.getBuffer(), flags);
  }
}

const TABLES: RemoteModule['tables'] = {
  layer: { tableName: 'layer', rowType: layer, primaryKeyInfo: { colName: 'id', colType: u32 } },
  tag: { tableName: 'tag', rowType: tag },
  shown_layer: { tableName: 'shown_layer', rowType: layer },
};

const REMOTE_MODULE: RemoteModule = {
  tables: TABLES,
  reducers: Object.fromEntries(
    Object.entries(ARGS).map(([reducerName, argsType]) => [reducerName, { reducerName, argsType }])
  ),
  versionInfo: { cliVersion: '1.3.0' },
  eventContextConstructor: (connection, event) => ({ ...connection, event }),
  dbViewConstructor: connection => (name: string) =>
    (connection as any).clientCache.getOrCreateTable(TABLES[name]!),
  reducersConstructor: (connection, flags) => new Reducers(connection, flags),
  setReducerFlagsConstructor: () => new Flags(),
};

function adapted(connection: any, identity: any, token: string, ended: Promise<void>): OldConnection {
  const cache = (name: string): TableCache<Row> => connection.db(name);
  return {
    identity: identity.toHexString(),
    token,
    ended,
    subscribe: queries =>
      new Promise((resolve, reject) => {
        const handle = connection
          .subscriptionBuilder()
          .onApplied(() =>
            resolve({ end: () => new Promise(settle => handle.unsubscribeThen(() => settle())) })
          )
          .onError((context: any) => reject(context.event))
          .subscribe(queries);
      }),
    call: (reducer, ...args) => connection.reducers.call(reducer, args),
    callRaw: (reducer, args) => connection.callReducer(reducer, args, 'FullUpdate'),
    quiet: (reducer, isQuiet) => {
      connection.setReducerFlags.of[reducer] = isQuiet ? 'NoSuccessNotify' : 'FullUpdate';
    },
    onReducer: (reducer, heard) =>
      connection.onReducer(reducer, (context: any, ...args: unknown[]) => {
        const { status } = context.event;
        heard({ tag: status.tag, text: status.tag === 'Failed' ? status.value : '', args });
      }),
    onRow: (name, change, heard) => {
      const rows = cache(name);
      const cause = (context: any) => ({ tag: context.event.tag });
      if (change === 'insert') rows.onInsert((context, row) => heard(cause(context), row));
      if (change === 'delete') rows.onDelete((context, row) => heard(cause(context), row));
      if (change === 'update')
        rows.onUpdate((context: any, old: Row, row: Row) => heard(cause(context), row, old));
    },
    rows: name => [...cache(name).iter()],
    close: () => connection.disconnect(),
  };
}

tell({
  open: ({ token, light, wire }) =>
    new Promise((resolve, reject) => {
      let end: () => void;
      const ended = new Promise<void>(settle => (end = settle));
      const builder = new DbConnectionBuilder<any, any, any>(
        REMOTE_MODULE,
        (connection: DbConnectionImpl) => connection
      )
        .withUri(env('URI'))
        .withModuleName(env('DATABASE'))
        .withToken(token)
        .withLightMode(light ?? false)
        .onConnect((connection: any, identity: any, given: string) =>
          resolve(adapted(connection, identity, given, ended))
        )
        // This SDK calls an end an error as well.
        .onConnectError((_: unknown, error: Error) => (reject(error), end()));
      if (wire) builder.withWSFn(async () => wire as any);
      builder.build();
    }),
});
