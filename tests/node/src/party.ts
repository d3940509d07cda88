// A party: four players and a spectator in one story, through a battle, a break and a restart.

import assert from 'node:assert/strict';
import { DbConnection } from '../module_bindings_game/index.js';
import type { BattleSnapshot } from '../module_bindings_game/types.js';
import { close, dump, env, main, open, report, until } from './connections.js';
import {
  ask,
  battle,
  begin,
  choose,
  code,
  followAll,
  items,
  only,
  openService,
  policy,
  progress,
  requestId,
  session,
  userId,
  type Player,
} from './player.js';

const ACTIONS_MAX = 60;
const SHARED = ['battleState', 'battleCombatant', 'battleEvent', 'questRecord', 'rewardSettlement'];
const OWN = ['inventorySlot', 'myPlayerProgression', 'progressionGrantLog'];

/** Everything that a player is told of the story, in order. */
function listen(player: Player): string[] {
  const told: string[] = [];
  const { db } = player.connection;
  db.storyEvent.onInsert((_, row) => told.push(`event ${row.seq} ${row.kind.tag}`));
  db.storySession.onUpdate((_, __, row) => told.push(`session ${row.version} ${row.status.tag}`));
  db.battleEvent.onInsert((_, row) => told.push(`battle ${row.seq} ${row.kind.tag}`));
  db.battleState.onUpdate((_, __, row) => told.push(`version ${row.version}`));
  db.rewardSettlement.onUpdate((_, __, row) => told.push(`${row.settlementId} ${row.status.tag}`));
  return told;
}

const askToJoin = (host: Player, guest: Player, role: 'Player' | 'Spectator') => {
  const { storySessionId, inviteCode } = session(host);
  return guest.connection.procedures.joinStorySessionAndReturn({
    input: {
      storySessionId,
      inviteCode: inviteCode!,
      role: { tag: role },
      roleKey: role === 'Player' ? 'wanderer' : undefined,
      requestId: requestId(),
    },
  });
};

async function join(host: Player, guest: Player, role: 'Player' | 'Spectator'): Promise<void> {
  await ask(askToJoin(host, guest, role));
  await until(guest.connection, () => guest.connection.db.storySession.count() === 1n);
}

/** Everybody acts on the own turn until something holds; answers the last state. */
async function takeTurns(
  players: Player[],
  holds: (snapshot: BattleSnapshot) => boolean
): Promise<BattleSnapshot> {
  const [host] = players;
  const { battleStateId } = (await battle(host!)).battle;
  for (let count = 0; count < ACTIONS_MAX; count++) {
    const snapshot = await ask(
      host!.connection.procedures.getBattleState({ input: { battleStateId } })
    );
    if (holds(snapshot)) return snapshot;
    const active = snapshot.combatants.find(row => row.seq === snapshot.battle.activeSeq)!;
    const player = players.find(one => userId(one) === active.userId)!;
    const answer = await player.connection.procedures.resolveCombatActionAndReturn({
      input: policy(player, snapshot),
    });
    // Whoever was away for too long may find the turn played.
    assert.ok(answer.ok || answer.errorCode === 'combat.stale_version', answer.errorCode);
  }
  throw new Error(`no end within ${ACTIONS_MAX} actions`);
}

async function gather(): Promise<[Player[], Player]> {
  const players: Player[] = [];
  for (let number = 0; number < 4; number++) players.push(await open(DbConnection.builder()));
  const [host, ...guests] = players;
  for (const player of players) await followAll(player);
  await begin(host!);
  await host!.connection.reducers.createStoryInvite({
    input: { storySessionId: session(host!).storySessionId, requestId: requestId() },
  });
  await until(host!.connection, () => session(host!).inviteCode !== undefined);
  for (const guest of guests) await join(host!, guest, 'Player');
  const spectator = await open(DbConnection.builder());
  await followAll(spectator);
  await join(host!, spectator, 'Spectator');
  const { db } = host!.connection;
  await until(host!.connection, () => db.storyParticipant.count() === 5n);
  assert.equal(session(host!).playerCount, 4);
  const fifth = await open(DbConnection.builder());
  assert.equal(await code(askToJoin(host!, fifth, 'Player')), 'story.full_state');
  await close(fifth);
  for (const guest of guests) await until(guest.connection, () => items(guest)['core_coin'] === 20);
  return [players, spectator];
}

async function checkTurns(players: Player[], spectator: Player): Promise<void> {
  const snapshot = await battle(players[0]!);
  const active = snapshot.combatants.find(row => row.seq === snapshot.battle.activeSeq)!;
  const idle = players.find(player => userId(player) !== active.userId)!;
  const attack = () => ({ ...policy(idle, snapshot), requestId: requestId() });
  const { procedures } = idle.connection;
  assert.equal(
    await code(procedures.resolveCombatActionAndReturn({ input: attack() })),
    'combat.not_your_turn'
  );
  assert.equal(
    await code(
      spectator.connection.procedures.resolveCombatActionAndReturn({ input: attack() })
    ),
    'combat.not_participant'
  );
  // Four against three: no pack pressure, so hostiles strike with all their strength.
  assert.deepEqual(
    snapshot.combatants.filter(row => row.side.tag === 'Hostile').map(row => row.stats.attack),
    [9, 9, 12]
  );
}

async function play(): Promise<void> {
  const service = await openService();
  const [players, spectator] = await gather();
  const [host, second, third, fourth] = players as [Player, Player, Player, Player];
  const everybody = [...players, spectator];
  const told = everybody.map(listen);

  await choose(host, 'Travel', 'mill');
  await choose(host, 'Fight', 'slime_pack');
  for (const player of everybody) await battle(player);
  await checkTurns(players, spectator);
  const begun = (await battle(host)).battle.version;
  await takeTurns(players, snapshot => snapshot.battle.version > begun);

  // One of them drops out in the middle of the battle, and comes back to the same story.
  await close(third);
  const away = () =>
    [...host.connection.db.storyParticipant.iter()].some(
      row => row.userId === userId(third) && !row.connected
    );
  await until(host.connection, away);
  const back = await open(DbConnection.builder(), third.token);
  assert.equal(userId(back), userId(third));
  await followAll(back);
  await until(back.connection, () => back.connection.db.battleState.count() === 1n);
  await until(host.connection, () => !away());
  const present = [host, second, back, fourth];
  const ended = await takeTurns(present, ({ battle: { status } }) => status.tag === 'Ended');
  assert.equal(ended.battle.outcome.tag, 'Victory');

  const watching = [...present, spectator];
  for (const player of watching) {
    const { rewardSettlement, questRecord } = player.connection.db;
    await until(player.connection, () => {
      const rewards = [...rewardSettlement.iter()].filter(
        row => row.source.tag === 'HostileDefeat'
      );
      const quests = [...questRecord.iter()];
      return (
        rewards.length === 4 &&
        rewards.every(row => row.status.tag === 'Settled') &&
        quests.some(row => row.questKey === 'clear_mill' && row.status.tag === 'Completed')
      );
    });
  }
  // Each has the own rewards, and sees nobody else's.
  for (const player of present) {
    await until(player.connection, () => items(player)['core_coin'] === 28);
    assert.deepEqual(items(player), { core_healing_herb: 6, core_coin: 28 });
    assert.deepEqual(progress(player), [1, 24, 24]);
    const granted = only(player.connection.db.progressionGrantLog.iter());
    assert.equal(granted.userId, userId(player));
  }
  assert.equal(Number(spectator.connection.db.inventorySlot.count()), 0);
  assert.equal(Number(spectator.connection.db.myPlayerProgression.count()), 0);
  // And all of them saw the same, in the same order.
  const [first, ...others] = [told[0]!, told[1]!, told[3]!, told[4]!];
  assert.ok(first!.length > 20);
  for (const other of others) assert.deepEqual(other, first);
  const common = told[2]!;
  assert.deepEqual(common, first!.slice(0, common.length));
  const story = dump(host.connection, SHARED);
  for (const player of watching) assert.deepEqual(dump(player.connection, SHARED), story);

  report({
    rows: present.map(player => dump(player.connection, [...SHARED, ...OWN])),
    tokens: present.map(player => player.token),
  });
  await Promise.all([service, ...present, spectator].map(one => one.ended));
}

async function look(): Promise<void> {
  const tokens = JSON.parse(env('TOKENS')) as string[];
  const players: Player[] = [];
  for (const token of tokens) {
    const player = await open(DbConnection.builder(), token);
    await followAll(player);
    await until(player.connection, () => player.connection.db.battleState.count() === 1n);
    players.push(player);
  }
  report({ rows: players.map(player => dump(player.connection, [...SHARED, ...OWN])) });
  // A guest leaves: the story's rows leave its tables; the others play on.
  const [host, guest, ...others] = players as [Player, Player, ...Player[]];
  const { storySessionId } = session(host);
  const leave = (player: Player) =>
    player.connection.reducers.leaveStorySession({
      input: { storySessionId, requestId: requestId() },
    });
  await leave(guest);
  await until(guest.connection, () => guest.connection.db.storySession.count() === 0n);
  assert.equal(Number(guest.connection.db.battleEvent.count()), 0);
  assert.equal(items(guest)['core_coin'], 28);
  await until(host.connection, () => session(host).playerCount === 3);
  // The host leaves: that is the end of the story, for everybody.
  const ends = [host, ...others].map(player => {
    const seen: string[] = [];
    player.connection.db.storySession.onUpdate((_, __, row) => seen.push(row.status.tag));
    return seen;
  });
  await leave(host);
  for (const player of [host, ...others]) {
    await until(player.connection, () => player.connection.db.storySession.count() === 0n);
    const entry = only(player.connection.db.sessionDirectoryEntry.iter());
    assert.equal(entry.state.tag, 'Archived');
  }
  for (const seen of ends) assert.equal(seen.at(-1), 'Abandoned');
  const { procedures } = others[0]!.connection;
  const left = await ask(procedures.getStorySessionState({ input: { storySessionId } }));
  assert.equal(left.session.status.tag, 'Abandoned');
  await close(...players);
}

main(process.env['TOKENS'] === undefined ? play : look);
