// Two chatters: names, messages, presence, subscriptions, refusals and tokens.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_chat/index.js';
import {
  close,
  main,
  open,
  refusal,
  report,
  subscribe,
  subscribeToAll,
  unsubscribe,
  until,
} from './connections.js';

main(async () => {
  const ann = await open(DbConnection.builder());
  const bob = await open(DbConnection.builder());
  assert.ok(!ann.identity.isEqual(bob.identity));
  await subscribe(ann.connection, ['SELECT * FROM user', 'SELECT * FROM message']);
  await subscribeToAll(bob.connection);

  const seen: string[] = [];
  ann.connection.db.user.onUpdate((context, old, row) =>
    seen.push(`${context.event.tag} ${old.name}>${row.name} ${old.online}>${row.online}`)
  );
  bob.connection.db.user.onUpdate((context, old, row) =>
    seen.push(`${context.event.tag} ${old.name}>${row.name} ${old.online}>${row.online}`)
  );

  // The caller's rows have changed before its promise resolves; the other one is told.
  const ownRow = () => ann.connection.db.user.identity.find(ann.identity)!;
  await ann.connection.reducers.setName({ name: 'Ann' });
  assert.equal(ownRow().name, 'Ann');
  const asBobSees = () => bob.connection.db.user.identity.find(ann.identity)!;
  await until(bob.connection, () => asBobSees().name === 'Ann');
  assert.deepEqual(seen.toSorted(), [
    'Reducer undefined>Ann true>true',
    'Transaction undefined>Ann true>true',
  ]);
  seen.length = 0;

  const texts = (one: typeof ann) => [...one.connection.db.message.iter()].map(row => row.text);
  await bob.connection.reducers.sendMessage({ text: 'hello, Ann ✓ 𝄞' });
  await until(ann.connection, () => texts(ann).length === 1);
  await ann.connection.reducers.sendMessage({ text: 'hello, Bob' });
  await until(bob.connection, () => texts(bob).length === 2);
  assert.deepEqual(texts(ann).toSorted(), ['hello, Ann ✓ 𝄞', 'hello, Bob']);

  // Refusals change nothing and are the caller's own.
  assert.deepEqual(await refusal(ann.connection.reducers.setName({ name: '' })), [
    'SenderError',
    'Names must not be empty',
  ]);
  assert.deepEqual(await refusal(bob.connection.reducers.sendMessage({ text: '' })), [
    'SenderError',
    'Messages must not be empty',
  ]);
  assert.equal(texts(ann).length, 2);
  assert.equal(ownRow().name, 'Ann');

  // A bad query is an error of that subscription; the connection goes on.
  await assert.rejects(subscribe(ann.connection, ['SELECT * FROM nowhere']), /no such table/);
  await assert.rejects(subscribe(ann.connection, ['SELECT * FROM user', 'nonsense']));

  // One's own query set among others: rows leave with the last set that holds them.
  const carl = await open(DbConnection.builder());
  const everybody = await subscribe(carl.connection, tables.user.toSql());
  const online = await subscribe(carl.connection, [
    tables.user.where(row => row.online.eq(true)),
    tables.message,
  ]);
  assert.equal(Number(carl.connection.db.user.count()), 3);
  await unsubscribe(everybody);
  assert.equal(Number(carl.connection.db.user.count()), 3);
  await unsubscribe(online);
  assert.equal(Number(carl.connection.db.user.count()), 0);
  assert.equal(Number(carl.connection.db.message.count()), 0);
  const byOwner = await subscribe(carl.connection, [
    tables.message.where(row => row.sender.eq(bob.identity)),
  ]);
  assert.deepEqual(texts(carl), ['hello, Ann ✓ 𝄞']);
  await unsubscribe(byOwner);
  await subscribe(carl.connection, [tables.user, tables.message]);
  assert.deepEqual(texts(carl).toSorted(), texts(ann).toSorted());

  // Leaving turns the flag; coming back with the token is the same user.
  const before = bob.identity.toHexString();
  await close(bob);
  const bobAsAnnSees = () => ann.connection.db.user.identity.find(bob.identity)!;
  await until(ann.connection, () => !bobAsAnnSees().online);
  const back = await open(DbConnection.builder(), bob.token);
  assert.equal(back.identity.toHexString(), before);
  await until(ann.connection, () => bobAsAnnSees().online);
  await subscribe(back.connection, [tables.user, tables.message]);
  await back.connection.reducers.setName({ name: 'Bob' });
  await until(ann.connection, () => bobAsAnnSees().name === 'Bob');

  // Doors that stay closed.
  await assert.rejects(open(DbConnection.builder(), 'not.a.token'), /Failed to verify token/);
  const forged = `${bob.token.slice(0, -8)}AAAAAAAA`;
  await assert.rejects(open(DbConnection.builder(), forged), /Failed to verify token/);
  await assert.rejects(open(DbConnection.builder(), undefined, 'no-such-database'));

  report({ messages: texts(ann).toSorted(), ann: ann.token, bob: back.token });
  await close(ann, back, carl);
}, [/Error connecting to SpacetimeDB WS/]);
