// What the SDKs of version 1 of the protocol do alike: how they connect, subscribe and hold rows.

import { env, type OldConnection, type OldSdk, type Row } from './old_story.js';

type Options = Parameters<OldSdk['open']>[0];

/** Who connected, and until when. */
export type Session = Pick<OldConnection, 'identity' | 'token' | 'ended'>;

/** Connect with an SDK's builder; `ending` is the callback that tells of a connection's end. */
export function opened(
  builder: any,
  ending: 'onDisconnect' | 'onConnectError',
  { token, light, wire }: Options,
  adapted: (connection: any, session: Session) => OldConnection
): Promise<OldConnection> {
  return new Promise((resolve, reject) => {
    let end: () => void;
    const ended = new Promise<void>(settle => (end = settle));
    builder
      .withUri(env('URI'))
      .withModuleName(env('DATABASE'))
      .withToken(token)
      .withLightMode(light ?? false)
      .onConnect((connection: any, identity: any, given: string) =>
        resolve(adapted(connection, { identity: identity.toHexString(), token: given, ended }))
      )
      .onConnectError((_: unknown, error: Error) => reject(error));
    builder[ending](() => end());
    if (wire) builder.withWSFn(async () => wire as any);
    builder.build();
  });
}

/** What a connection does; `cache` finds the rows of a table. */
export function alike(
  connection: any,
  cache: (table: string) => any
): Pick<OldConnection, 'subscribe' | 'callRaw' | 'onRow' | 'rows' | 'close'> {
  const cause = (context: any) => ({ tag: context.event.tag });
  return {
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
    callRaw: (reducer, args) => connection.callReducer(reducer, args, 'FullUpdate'),
    onRow: (name, change, heard) => {
      const rows = cache(name);
      if (change === 'insert') rows.onInsert((context: any, row: Row) => heard(cause(context), row));
      if (change === 'delete') rows.onDelete((context: any, row: Row) => heard(cause(context), row));
      if (change === 'update')
        rows.onUpdate((context: any, old: Row, row: Row) => heard(cause(context), row, old));
    },
    rows: name => [...cache(name).iter()],
    close: () => connection.disconnect(),
  };
}
