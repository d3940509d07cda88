// The unmodified SDK 1.3.3 under its first name, with bindings in the style of its generator.

import {
  AlgebraicType,
  BinaryWriter,
  DbConnectionBuilder,
  DbConnectionImpl,
  ProductTypeElement,
  type CallReducerFlags,
} from 'spacetimedb-1.3';
import { alike, opened, type Session } from './old_connection.js';
import { tell, type OldConnection } from './old_story.js';

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

const adapted = (connection: any, session: Session): OldConnection => ({
  ...session,
  ...alike(connection, name => connection.db(name)),
  call: (reducer, ...args) => connection.reducers.call(reducer, args),
  quiet: (reducer, isQuiet) => {
    connection.setReducerFlags.of[reducer] = isQuiet ? 'NoSuccessNotify' : 'FullUpdate';
  },
  onReducer: (reducer, heard) =>
    connection.onReducer(reducer, (context: any, ...args: unknown[]) => {
      const { status } = context.event;
      heard({ tag: status.tag, text: status.tag === 'Failed' ? status.value : '', args });
    }),
});

tell({
  open: options => {
    const builder = new DbConnectionBuilder<any, any, any>(
      REMOTE_MODULE,
      (connection: DbConnectionImpl) => connection
    );
    // This SDK calls an end an error as well.
    return opened(builder, 'onConnectError', options, adapted);
  },
});
