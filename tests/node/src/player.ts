// A player of the game: what every story does, and the combat policy of the fixture world.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { DbConnection, tables } from '../module_bindings_game/index.js';
import type {
  BattleSnapshot,
  CombatResolution,
  QuestRecord,
  StoryChoice,
  StorySession,
} from '../module_bindings_game/types.js';
import { env, open, refusal, subscribe, until, type Opened } from './connections.js';

export const PROFILE = 'cwp_fixture_vale';
export const CHAPTER = `${PROFILE}:c1`;
const ACTIONS_MAX = 40;

export type Player = Opened<DbConnection>;

export type Action = Parameters<
  DbConnection['procedures']['resolveCombatActionAndReturn']
>[0]['input'];

export interface Envelope<T> {
  ok: boolean;
  value: T | undefined;
  errorCode: string | undefined;
  errorDetailsJson: string | undefined;
}

let requests = 0;
export const requestId = () => `request-${process.pid}-${++requests}`;

/** What a procedure answers; a refusal is thrown with its code. */
export async function ask<T>(call: Promise<Envelope<T>>): Promise<T> {
  const answer = await call;
  if (!answer.ok) throw new Error(answer.errorCode);
  assert.equal(answer.errorCode, undefined);
  return answer.value!;
}

/** The code that a procedure or a reducer is refused with. */
export async function code(call: Promise<Envelope<unknown> | void>): Promise<string> {
  let answer: Envelope<unknown> | void;
  try {
    answer = await call;
  } catch (error) {
    return (await refusal(Promise.reject(error)))[1].split(':')[0]!;
  }
  assert.ok(answer && !answer.ok, 'the call was not refused');
  return answer.errorCode!;
}

export const only = <T>(rows: Iterable<T>): T => {
  const all = [...rows];
  assert.equal(all.length, 1);
  return all[0]!;
};

/** How the game names the user behind an identity (domain 1.8). */
export const userId = (player: Player): string =>
  `u_${player.identity.toHexString().replace(/^0x/, '').slice(12, 44)}`;

/** How many of each item a player carries: in the story that is played, if there is one. */
export function items(player: Player): Record<string, number> {
  const { inventorySlot, storySession } = player.connection.db;
  const lineages = [...storySession.iter()].map(row => row.runtimeSessionId);
  const carried: Record<string, number> = {};
  for (const { itemId, quantity, runtimeSessionId } of inventorySlot.iter()) {
    if (lineages.length === 0 || lineages.includes(runtimeSessionId)) {
      carried[itemId] = (carried[itemId] ?? 0) + quantity;
    }
  }
  return carried;
}

/** A connection that has loaded the fixture world and may do what services may. */
export async function openService(): Promise<Player> {
  const service = await open(DbConnection.builder(), env('SERVICE_TOKEN'));
  await service.connection.reducers.loadFixtureWorld({ input: { requestId: requestId() } });
  return service;
}

/** Follow everything that a player may see of the game. */
export async function followAll(player: Player): Promise<void> {
  await subscribe(player.connection, Object.values(tables));
}

/** The story that a player is in. */
export const session = (player: Player): StorySession =>
  only(player.connection.db.storySession.iter());

/** Begin the fixture world and wait until the story, its chapter and its items are there. */
export async function begin(player: Player): Promise<StorySession> {
  const { db, procedures } = player.connection;
  const begun = await ask(
    procedures.beginStorySessionAndReturn({
      input: {
        profileId: PROFILE,
        roleKey: 'wanderer',
        locale: undefined,
        requestId: requestId(),
      },
    })
  );
  await until(
    player.connection,
    () =>
      [...db.storyChoice.iter()].some(row => row.storySessionId === begun.storySessionId) &&
      [...db.inventorySlot.iter()].filter(row => row.runtimeSessionId === begun.runtimeSessionId)
        .length === 2
  );
  return begun;
}

/** The choice of a function and, when it is given, a target. */
export function choice(player: Player, what: string, target?: string): StoryChoice | undefined {
  const { turn, storySessionId } = session(player);
  return [...player.connection.db.storyChoice.iter()].find(
    row =>
      row.storySessionId === storySessionId &&
      row.turn === turn &&
      row.function.tag === what &&
      (target === undefined || row.targetKey === target)
  );
}

/** Take a choice, and wait until its rows are there. */
export async function choose(player: Player, what: string, target?: string): Promise<void> {
  const { db, procedures } = player.connection;
  const { storySessionId, turn } = session(player);
  const taken = choice(player, what, target);
  assert.ok(taken?.enabled, `${what} ${target ?? ''} is a choice`);
  const after = await ask(
    procedures.continueStoryAndReturn({
      input: {
        storySessionId,
        choiceId: taken.choiceId,
        freeText: undefined,
        expectedTurn: turn,
        interruptNarration: false,
        requestId: requestId(),
      },
    })
  );
  await until(
    player.connection,
    () => db.storySession.storySessionId.find(storySessionId)!.version >= after.version
  );
}

/** The combat policy of the fixture world, for one of the players of a battle. */
export function policy(player: Player, { battle, combatants }: BattleSnapshot): Action {
  const own = combatants.find(row => row.userId === userId(player))!;
  const hostiles = combatants
    .filter(row => row.side.tag === 'Hostile' && row.alive)
    .sort((a, b) => a.hp - b.hp || a.seq - b.seq);
  const ready = (skillId: string) =>
    own.skills.some(skill => skill.skillId === skillId && skill.manaCost <= own.mana) &&
    !own.cooldowns.some(one => one.skillId === skillId);
  const base = {
    battleStateId: battle.battleStateId,
    expectedVersion: battle.version,
    itemId: undefined,
    requestId: requestId(),
  };
  if (own.hp * 100 < own.stats.maxHp * 35 && ready('mend')) {
    return { ...base, action: { tag: 'Skill' }, skillId: 'mend', targetSeq: undefined };
  }
  const targetSeq = hostiles[0]!.seq;
  if (ready('power_strike')) {
    return { ...base, action: { tag: 'Skill' }, skillId: 'power_strike', targetSeq };
  }
  return { ...base, action: { tag: 'BasicAttack' }, skillId: undefined, targetSeq };
}

/** Act; a battle takes five actions a second, and one too early may be sent again as it is. */
export async function act(player: Player, action: Action): Promise<CombatResolution> {
  for (;;) {
    const answer = await player.connection.procedures.resolveCombatActionAndReturn({
      input: action,
    });
    if (answer.errorCode !== 'limit.rate_exceeded') return ask(Promise.resolve(answer));
    await pause(200);
  }
}

/** The battle that runs, once it is active, as a call answers it. */
export async function battle(player: Player): Promise<BattleSnapshot> {
  const { db, procedures } = player.connection;
  const active = () => [...db.battleState.iter()].find(row => row.status.tag === 'Active');
  await until(player.connection, () => active() !== undefined);
  const { battleStateId } = active()!;
  return ask(procedures.getBattleState({ input: { battleStateId } }));
}

/** Fight the battle that runs to its end, alone and by the policy; answers the last call. */
export async function fightOut(
  player: Player,
  each: (resolution: CombatResolution, before: BattleSnapshot) => void = () => undefined
): Promise<[Action, CombatResolution]> {
  let snapshot = await battle(player);
  for (let count = 0; count < ACTIONS_MAX; count++) {
    const action = policy(player, snapshot);
    const resolution = await act(player, action);
    each(resolution, snapshot);
    snapshot = resolution.snapshot;
    if (resolution.outcome.tag !== 'Ongoing') return [action, resolution];
  }
  throw new Error(`no outcome within ${ACTIONS_MAX} actions`);
}

/** A quest of the running story by its key. */
export const quest = (player: Player, key: string): QuestRecord | undefined =>
  [...player.connection.db.questRecord.iter()].find(
    row => row.questKey === key && row.storySessionId === session(player).storySessionId
  );

/** Wait until a quest stands so. */
export const questIs = (player: Player, key: string, status: string): Promise<void> =>
  until(player.connection, () => quest(player, key)?.status.tag === status);

/** Level, XP within it and in all, as the view shows them. */
export function progress(player: Player): [number, number, number] {
  const own = only(player.connection.db.myPlayerProgression.iter());
  return [own.level, own.currentLevelXp, own.totalXp];
}
