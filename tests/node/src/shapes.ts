// Every kind of column, table and function, and caches that stay equal to fresh queries.

import assert from 'node:assert/strict';
import { TimeDuration, Uuid } from 'spacetimedb';
import { DbConnection, tables } from '../module_bindings_shapes/index.js';
import type { CircleOrPolygon, Hue } from '../module_bindings_shapes/types.js';
import {
  close,
  dump,
  env,
  main,
  open,
  plain,
  refusal,
  report,
  subscribe,
  subscribeToAll,
  unsubscribe,
  until,
  type Opened,
} from './connections.js';

type Painter = Opened<DbConnection>;
type Drawing = Parameters<DbConnection['reducers']['draw']>[0];

const ROUNDS = 12;
const CALLS = 40;
const LABELS = Array.from({ length: 12 }, (_, number) => `s${number}`);

let state = Number(env('SEED')) | 1;
function below(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)]!;

const HUES: Hue[] = [{ tag: 'DeepRed' }, { tag: 'Green' }, { tag: 'Blue' }];

const drawing = (label: string, changes: Partial<Drawing> = {}): Drawing => ({
  label,
  layerId: 1,
  hue: { tag: 'Green' },
  outline: { tag: 'Circle', value: { center: { x: 0n, y: 0n }, radius: 1 } },
  nickname: undefined,
  grades: [],
  picture: new Uint8Array(),
  weight: 1,
  ratio: 0.5,
  tally: 0n,
  debt: 0n,
  mark: Uuid.parse('00112233-4455-6677-8899-aabbccddeeff'),
  span: new TimeDuration(0n),
  ...changes,
});

const own = (painter: Painter, label: string) =>
  painter.connection.db.shape.label.find(label)!;

/** Values at the edges of their types come back as they went. */
async function everyColumn(painter: Painter): Promise<void> {
  const { db, reducers } = painter.connection;
  await subscribe(painter.connection, [tables.shape, tables.myShape]);
  const polygon: CircleOrPolygon = {
    tag: 'Polygon',
    value: {
      corners: [
        { x: -(2n ** 63n), y: 2n ** 63n - 1n },
        { x: 3n, y: -4n },
      ],
    },
  };
  const edges = drawing("O'Neil ✓ 𝄞", {
    layerId: 4_294_967_295,
    hue: { tag: 'Blue' },
    outline: polygon,
    nickname: '',
    grades: [-128, 0, 127],
    picture: Uint8Array.from({ length: 3_000 }, (_, number) => number % 256),
    weight: -1.5,
    ratio: Number.MIN_VALUE,
    tally: 2n ** 128n - 1n,
    debt: -(2n ** 255n),
    span: new TimeDuration(-1_500_000n),
  });
  await reducers.draw(edges);
  const row = own(painter, edges.label);
  const { id, owner, seen, drawnBy, isHidden, ...rest } = row;
  assert.deepEqual(plain(rest), plain(edges));
  assert.ok(owner.isEqual(painter.identity));
  assert.ok(drawnBy.isEqual(painter.connection.connectionId));
  assert.ok(Math.abs(Number(seen.toMillis()) - Date.now()) < 60_000);
  assert.equal(isHidden, false);
  assert.ok(db.shape.id.find(id) === row);
  assert.deepEqual([...db.shape.owner.filter(painter.identity)], [row]);
  assert.deepEqual([...db.shape.layerId.filter(4_294_967_295)], [row]);
  assert.deepEqual(plain([...db.myShape.iter()]), plain([row]));

  // Numbers are given in order; a label is there once, and a refused call changes nothing.
  await reducers.draw(drawing('second'));
  assert.ok(own(painter, 'second').id > id);
  const before = dump(painter.connection);
  const [name] = await refusal(reducers.draw(drawing('second')));
  assert.ok(['SenderError', 'InternalError'].includes(name));
  assert.deepEqual(dump(painter.connection), before);

  // A row that is deleted and inserted again as it was has not changed.
  const changes: string[] = [];
  db.shape.onInsert(() => changes.push('insert'));
  db.shape.onDelete(() => changes.push('delete'));
  db.shape.onUpdate(() => changes.push('update'));
  await reducers.eraseAndRedraw({ label: 'second' });
  assert.deepEqual(changes, []);
  await reducers.hide({ label: 'second', isHidden: true });
  assert.deepEqual(changes, ['update']);
  await reducers.erase({ label: 'second' });
  await reducers.erase({ label: edges.label });
  assert.deepEqual(changes, ['update', 'delete', 'delete']);
}

async function functions(painter: Painter): Promise<void> {
  const { procedures, reducers } = painter.connection;
  assert.equal(await procedures.addTwo({ a: 2n ** 63n, b: 2n ** 62n }), 2n ** 63n + 2n ** 62n);
  await reducers.draw(drawing('light', { layerId: 7, weight: 1, hue: { tag: 'Blue' } }));
  await reducers.draw(drawing('heavy', { layerId: 7, weight: 9, hue: { tag: 'DeepRed' } }));
  assert.deepEqual(plain(await procedures.summary({ layerId: 7 })), {
    count: 2,
    heaviest: 'heavy',
    hues: [{ tag: 'DeepRed' }, { tag: 'Blue' }],
  });
  assert.deepEqual(await procedures.summary({ layerId: 8 }), {
    count: 0,
    heaviest: undefined,
    hues: [],
  });
  const [kind, text] = await refusal(procedures.divide({ a: 1n, b: 0n }));
  assert.equal(kind, 'string');
  assert.ok(!text.includes('division'), 'what broke is not for the caller');
  await reducers.erase({ label: 'light' });
  await reducers.erase({ label: 'heavy' });
}

/** What fails is told in the words of the wire, and disturbs nothing. */
async function failures(painter: Painter): Promise<void> {
  const { connection } = painter;
  const [nothing, one] = [new Uint8Array(), new Uint8Array([1])];
  const told = async (call: Promise<unknown>) => (await refusal(call)).join(': ');
  const fatal = 'The instance encountered a fatal error.';
  assert.deepEqual(
    await Promise.all([
      told(connection.callReducer('nothing', nothing)),
      told(connection.reducers.refuseAfterWriting({})),
      told(connection.reducers.breakAfterWriting({})),
      told(connection.callProcedure('nothing', nothing)),
    ]),
    [
      'InternalError: no such reducer',
      'SenderError: shapes.refused: as asked',
      `InternalError: ${fatal}`,
      'string: No such procedure',
    ]
  );
  assert.match(
    await told(connection.callReducer('put_layer', one)),
    /^InternalError: invalid arguments for reducer put_layer: /
  );
  assert.match(
    await told(connection.callProcedure('add_two', one)),
    /^string: invalid arguments for procedure add_two: /
  );
  assert.match(
    await told(connection.procedures.divide({ a: 1n, b: 0n })),
    /^string: The module instance encountered a fatal error: /
  );
}

/** Large messages, which the websocket compresses, and connections that ask for every mode. */
async function modes(painter: Painter): Promise<void> {
  const picture = new Uint8Array(300_000).fill(7);
  const builders = [
    DbConnection.builder().withConfirmedReads(false).withCompression('none'),
    DbConnection.builder().withConfirmedReads(true).withCompression('gzip').withLightMode(true),
  ];
  const others = await Promise.all(builders.map(builder => open(builder)));
  for (const { connection } of others) await subscribe(connection, tables.shape);
  await painter.connection.reducers.draw(drawing('large', { picture }));
  for (const { connection } of others) {
    const found = () => [...connection.db.shape.iter()].find(row => row.label === 'large');
    await until(connection, () => found() !== undefined);
    assert.deepEqual(found()!.picture, picture);
    const late = await open(DbConnection.builder());
    await subscribe(late.connection, tables.shape);
    assert.deepEqual(dump(late.connection)['shape'], dump(connection)['shape']);
    await close(late);
  }
  await painter.connection.reducers.erase({ label: 'large' });
  await close(...others);
}

/** Events reach whoever subscribes, in order, and are never rows. */
async function events(painter: Painter, onlooker: Painter): Promise<void> {
  const heard: string[] = [];
  const { db } = onlooker.connection;
  const handle = await subscribe(onlooker.connection, tables.drawn);
  db.drawn.onInsert((_, row) => heard.push(`${row.label} ${row.hue.tag}`));
  const labels = ['a', 'b', 'c'];
  await Promise.all(
    labels.map((label, number) =>
      painter.connection.reducers.draw(drawing(label, { hue: HUES[number]! }))
    )
  );
  await onlooker.connection.reducers.putTag({ layerId: 0, text: 'after the events' });
  assert.deepEqual(heard, ['a DeepRed', 'b Green', 'c Blue']);
  assert.equal(Number(db.drawn.count()), 0);
  await unsubscribe(handle);
  await painter.connection.reducers.draw(drawing('unheard'));
  await onlooker.connection.reducers.dropTag({ layerId: 0, text: 'after the events' });
  assert.equal(heard.length, 3);
  for (const label of [...labels, 'unheard']) {
    await painter.connection.reducers.erase({ label });
  }
}

/** Query sets that overlap in every way; drawn at random for subscribing and leaving. */
const querySets = (painter: Painter) => [
  [tables.shape.where(row => row.layerId.eq(1))],
  [tables.shape.where(row => row.layerId.lte(2)), tables.tag],
  [tables.shape.where(row => row.isHidden.eq(false).and(row.weight.gte(5)))],
  [tables.shape.where(row => row.owner.eq(painter.identity)), tables.layer],
  [tables.shape.where(row => row.label.eq('s1').or(row.label.eq('s2')))],
  [
    tables.layer
      .where(row => row.isShown.eq(true))
      .rightSemijoin(tables.shape, (layer, shape) => layer.id.eq(shape.layerId)),
  ],
  [
    tables.shape
      .leftSemijoin(tables.tag, (shape, tag) => shape.layerId.eq(tag.layerId))
      .where(row => row.isHidden.eq(false)),
    tables.layer.leftSemijoin(tables.tag, (layer, tag) => layer.id.eq(tag.layerId)),
  ],
  [
    tables.tag
      .where(row => row.text.ne('t0'))
      .leftSemijoin(tables.layer, (tag, layer) => tag.layerId.eq(layer.id)),
  ],
  [tables.myShape, tables.shownLayer],
  ['SELECT * FROM shape', 'SELECT * FROM shown_layer'],
];

function change(painter: Painter): Promise<void> {
  const { reducers } = painter.connection;
  const label = pick(LABELS);
  const layerId = below(4);
  switch (below(9)) {
    case 0:
    case 1:
      return reducers.draw(
        drawing(label, { layerId, weight: below(10), hue: pick(HUES), grades: [below(5)] })
      );
    case 2:
      return reducers.move({ label, layerId });
    case 3:
      return reducers.hide({ label, isHidden: below(2) === 0 });
    case 4:
      return reducers.erase({ label });
    case 5:
      return reducers.putLayer({ id: layerId, name: pick(['x', 'y']), isShown: below(2) === 0 });
    case 6:
      return reducers.dropLayer({ id: layerId });
    case 7:
      return reducers.putTag({ layerId, text: `t${below(3)}` });
    default:
      return reducers.dropTag({ layerId, text: `t${below(3)}` });
  }
}

async function churn(painters: Painter[], onlooker: Painter): Promise<void> {
  const sets = querySets(onlooker);
  const live = new Map<number, Awaited<ReturnType<typeof subscribe>>>();
  for (let round = 0; round < ROUNDS; round++) {
    // Nobody waits for anybody: subscriptions come and go while rows change under them.
    const calls = Array.from({ length: CALLS }, () =>
      change(pick(painters)).catch((error: Error) =>
        assert.match(error.message, /^shape\.already_exists/)
      )
    );
    const turned = Array.from({ length: 3 }, () => below(sets.length));
    for (const number of new Set(turned)) {
      const handle = live.get(number);
      if (handle === undefined) {
        live.set(number, await subscribe(onlooker.connection, sets[number]!));
      } else {
        live.delete(number);
        await unsubscribe(handle);
      }
    }
    await Promise.all(calls);
    // The onlooker's own call is answered after everything that was there before it.
    await onlooker.connection.reducers.putLayer({ id: 99, name: 'last', isShown: false });
    const fresh = await open(DbConnection.builder(), onlooker.token);
    for (const number of live.keys()) {
      await subscribe(fresh.connection, querySets(onlooker)[number]!);
    }
    assert.deepEqual(dump(onlooker.connection), dump(fresh.connection), `round ${round}`);
    await close(fresh);
  }
  for (const handle of live.values()) await unsubscribe(handle);
  const left = Object.values(dump(onlooker.connection)).flat();
  assert.deepEqual(left, [], 'rows stay behind when the last subscription has ended');
}

main(async () => {
  const ann = await open(DbConnection.builder());
  const bob = await open(DbConnection.builder());
  const onlooker = await open(DbConnection.builder());
  await everyColumn(ann);
  await functions(bob);
  await failures(bob);
  await modes(ann);
  await events(ann, onlooker);
  await churn([ann, bob, onlooker], onlooker);
  const all = await open(DbConnection.builder());
  await subscribeToAll(all.connection);
  const shapes = await open(DbConnection.builder());
  await subscribe(shapes.connection, ['SELECT * FROM *']);
  // The star stands for tables; views are subscribed to by their names.
  const whole = dump(all.connection);
  for (const name of ['shape', 'layer', 'tag']) {
    assert.deepEqual(dump(shapes.connection)[name], whole[name]);
  }
  assert.deepEqual(whole['myShape'], []);
  await assert.rejects(subscribe(ann.connection, 'SELECT * FROM draft'), /no such table/);
  report({ rows: whole });
  await close(ann, bob, onlooker, all, shapes);
});
