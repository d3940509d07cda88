// Several clients transfer at once; an onlooker sees the sum conserved after every transaction.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_bank/index.js';
import {
  close,
  env,
  framesSent,
  main,
  open,
  plain,
  refusal,
  report,
  subscribe,
  until,
  version,
} from './connections.js';

const ACCOUNTS = 20;
const BALANCE = 1_000n;
const TELLERS = 4;
const ROUNDS = 5;
const BURST = 50;

/** xorshift32: a test that fails can be run again with the same seed. */
let state = Number(env('SEED')) | 1;
function below(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

const expected = /same_account|insufficient_funds/;

main(async () => {
  const onlooker = await open(DbConnection.builder());
  const books = onlooker.connection.db.accounts;
  await subscribe(onlooker.connection, [tables.accounts]);
  const sum = () => [...books.iter()].reduce((total, row) => total + row.balance, 0n);
  await onlooker.connection.reducers.seed({ n: ACCOUNTS, initialBalance: BALANCE });
  assert.equal(sum(), BigInt(ACCOUNTS) * BALANCE);

  let looks = 0;
  books.onUpdate(() => {
    looks += 1;
    assert.equal(sum(), BigInt(ACCOUNTS) * BALANCE, 'the sum changed');
  });
  assert.deepEqual(
    await refusal(onlooker.connection.reducers.transfer({ from: 0, to: 0, amount: 1n })),
    ['SenderError', 'same_account']
  );
  assert.deepEqual(
    await refusal(onlooker.connection.reducers.transfer({ from: 0, to: 99, amount: 1n })),
    ['SenderError', 'account_missing']
  );

  const tellers = await Promise.all(
    Array.from({ length: TELLERS }, () => open(DbConnection.builder()))
  );
  await subscribe(tellers[0]!.connection, [tables.accounts]);
  let done = 0;
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // A burst's calls are made in one tick: over v3 each teller's leave in one frame.
    const sentBefore = framesSent;
    const calls = tellers.flatMap(teller =>
      Array.from({ length: BURST }, () =>
        teller.connection.reducers.transfer({
          from: below(ACCOUNTS),
          to: below(ACCOUNTS),
          amount: BigInt(1 + below(400)),
        })
      )
    );
    const outcomes = await Promise.allSettled(calls);
    assert.equal(framesSent - sentBefore, version === 'v3' ? TELLERS : TELLERS * BURST);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') done += 1;
      else {
        assert.match((outcome.reason as Error).message, expected);
        refused += 1;
      }
    }
  }
  assert.equal(done + refused, TELLERS * ROUNDS * BURST);
  assert.ok(done > 0 && refused > 0);
  // Every transfer changes two rows, and every change was seen together with its other half.
  await until(onlooker.connection, () => looks === 2 * done);
  const sorted = (rows: Iterable<{ id: number; balance: bigint }>) =>
    [...rows].sort((a, b) => a.id - b.id).map(plain);
  const fresh = await open(DbConnection.builder());
  await subscribe(fresh.connection, ['SELECT * FROM accounts']);
  const balances = sorted(fresh.connection.db.accounts.iter());
  assert.deepEqual(sorted(books.iter()), balances);
  assert.deepEqual(sorted(tellers[0]!.connection.db.accounts.iter()), balances);
  report({ balances, done, refused });
  await close(onlooker, fresh, ...tellers);
});
