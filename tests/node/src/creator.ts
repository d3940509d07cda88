// An author who makes a world with the creation agent: asks over HTTP, and watches the rows.

import { DbConnection, tables } from '../module_bindings_game/index.js';
import type {
  CustomWorldAgentMessage,
  CustomWorldAgentOperation,
  CustomWorldAgentSession,
  CustomWorldDraftCard,
  CustomWorldResultPreview,
} from '../module_bindings_game/types.js';
import { dump, open, subscribe, until } from './connections.js';
import { ask, only, type Player } from './player.js';
import { answered, refused, send, type Json } from './web.js';

export const SESSIONS = '/api/runtime/custom-world/agent/sessions';
export const GALLERY = '/api/runtime/custom-world-gallery';
export const LIBRARY = '/api/runtime/custom-world-library';
export const WORKS = '/api/runtime/custom-world/works';

export const SEED =
  'A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero.';

const FOLLOWED = [
  'aiTask',
  'aiTaskStage',
  'aiTextChunk',
  'assetEntityBinding',
  'assetObject',
  'customWorldAgentCheckpoint',
  'customWorldAgentFinding',
  'customWorldAgentMessage',
  'customWorldAgentOperation',
  'customWorldAgentSession',
  'customWorldAssetLink',
  'customWorldDraftCard',
  'customWorldGalleryEntry',
  'customWorldGalleryLike',
  'customWorldProfile',
  'customWorldResultPreview',
  'customWorldSession',
  'myCustomWorldWorks',
  'profileDashboardState',
  'profileWalletLedger',
] as const;
const FINAL = ['Succeeded', 'Failed', 'Cancelled'];

/** A connected author who follows everything that belongs to worlds. */
export async function openAuthor(token?: string): Promise<Player> {
  const author = await open(DbConnection.builder(), token);
  await subscribe(
    author.connection,
    FOLLOWED.map(name => tables[name])
  );
  return author;
}

/** All rows that an author sees of worlds, once the sessions are awake. */
export async function rowsOf(author: Player, sessions = 1): Promise<Record<string, unknown[]>> {
  const { customWorldAgentSession } = author.connection.db;
  await until(author.connection, () => customWorldAgentSession.count() === BigInt(sessions));
  return dump(author.connection, [...FOLLOWED]);
}

/** Wait until the rows are those of now: what is answered on a connection overtakes no rows. */
export async function caughtUp(author: Player): Promise<void> {
  await ask(author.connection.procedures.getProfileDashboard({ input: { userId: undefined } }));
}

export const session = (author: Player): CustomWorldAgentSession =>
  only(author.connection.db.customWorldAgentSession.iter());

export const preview = (author: Player): CustomWorldResultPreview =>
  only(author.connection.db.customWorldResultPreview.iter());

/** The messages of the session, in order. */
export const messages = (author: Player): CustomWorldAgentMessage[] =>
  [...author.connection.db.customWorldAgentMessage.iter()].sort((a, b) => a.seq - b.seq);

/** The cards of a kind, in order. */
export const cards = (author: Player, kind: string): CustomWorldDraftCard[] =>
  [...author.connection.db.customWorldDraftCard.iter()]
    .filter(card => card.kind.tag === kind)
    .sort((a, b) => a.orderIndex - b.orderIndex);

export const payload = (card: CustomWorldDraftCard): Json => JSON.parse(card.payloadJson);

export const path = (author: Player): string => `${SESSIONS}/${session(author).agentSessionId}`;

/** Why an action is not possible now. */
export const reason = (author: Player, action: string): string | undefined =>
  session(author).supportedActions.find(one => one.action.tag === action)!.reasonCode;

/** Codes of what is found about the world. */
export const findings = (author: Player, severity: string): string[] =>
  [...author.connection.db.customWorldAgentFinding.iter()]
    .filter(row => row.severity.tag === severity)
    .map(row => row.code)
    .sort();

/** Begin a session and wait until all that has begun with it has ended. */
export async function create(author: Player, body: object): Promise<Json> {
  const made = await answered(201, send(author.token, 'POST', SESSIONS, body));
  const { customWorldAgentOperation, customWorldAgentSession } = author.connection.db;
  await until(
    author.connection,
    () =>
      customWorldAgentSession.count() > 0n &&
      [...customWorldAgentOperation.iter()].every(row => FINAL.includes(row.status.tag)) &&
      customWorldAgentOperation.count() === BigInt(made.operations.length)
  );
  return made;
}

/** Ask for an action, and wait for its end. */
export async function act(
  author: Player,
  action: string,
  given: object = {}
): Promise<CustomWorldAgentOperation> {
  const body = { action, payload: given };
  const [status, asked] = await send(author.token, 'POST', `${path(author)}/actions`, body);
  if (status !== 200 && status !== 202) throw new Error(JSON.stringify(asked));
  const { operationId } = asked.operation;
  const { operationId: found } = author.connection.db.customWorldAgentOperation;
  const ended = () => {
    const row = found.find(operationId);
    return row && FINAL.includes(row.status.tag) ? row : undefined;
  };
  await until(author.connection, () => ended() !== undefined);
  return ended()!;
}

/** Ask for an action that is refused; answers status, code and details. */
export const refusedTo = (
  author: Player,
  action: string,
  given: object = {}
): Promise<[number, string, Json]> =>
  refused(send(author.token, 'POST', `${path(author)}/actions`, { action, payload: given }));

/** Change a card by hand. */
export const patch = (
  author: Player,
  card: CustomWorldDraftCard,
  change: object
): Promise<CustomWorldAgentOperation> =>
  act(author, 'update_draft_card', { cardId: card.cardId, patch: change });
