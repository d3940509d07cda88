// Story 8 of the game: the truth tables of AI tasks, by SDK and HTTP, and who sees their rows.

import assert from 'node:assert/strict';
import { DbConnection, tables } from '../module_bindings_game/index.js';
import type { AiTask, AiTaskStage } from '../module_bindings_game/types.js';
import { close, dump, env, main, open, report, subscribe, until } from './connections.js';
import { create, openAuthor, session } from './creator.js';
import { ask, code, only, requestId, userId, type Player } from './player.js';
import { answered, refused, send } from './web.js';

const TASKS = '/api/ai/tasks';
const SHOWN = ['aiResultReference', 'aiTask', 'aiTaskStage', 'aiTextChunk'];
const STAGES = ['PreparePrompt', 'RequestModel', 'NormalizeResult'] as const;

/** A service's calls on one task, as workers make them. */
class Desk {
  taskId = '';

  constructor(
    private readonly service: Player,
    readonly author: Player
  ) {}

  private get procedures() {
    return this.service.connection.procedures;
  }

  async create(): Promise<this> {
    const { agentSessionId } = session(this.author);
    const { task, stages } = await ask(
      this.procedures.createAiTaskAndReturn({
        input: {
          scopeKind: { tag: 'Agent' },
          scopeId: agentSessionId,
          taskKind: { tag: 'DraftFoundation' },
          label: 'Draft',
          payloadJson: '{"hint":"salt"}',
          stages: STAGES.map(tag => ({ tag })),
          sourceEntityId: undefined,
          requestId: requestId(),
        },
      })
    );
    this.taskId = task.aiTaskId;
    assert.ok(this.taskId.startsWith(`${agentSessionId}.ait_`));
    assert.equal(task.ownerUserId, userId(this.author));
    assert.equal(task.status.tag, 'Pending');
    assert.deepEqual(
      stages.map(row => [row.stageOrder, row.stageKind.tag, row.status.tag]),
      STAGES.map((tag, order) => [order, tag, 'Pending'])
    );
    return this;
  }

  start() {
    return this.procedures.startAiTaskAndReturn({
      input: {
        scopeKind: { tag: 'Agent' },
        scopeId: session(this.author).agentSessionId,
        taskId: this.taskId,
        requestId: requestId(),
      },
    });
  }

  begin(stageOrder: number) {
    return this.procedures.startAiTaskStageAndReturn({
      input: { taskId: this.taskId, stageOrder, requestId: requestId() },
    });
  }

  chunk(sequence: number, deltaText: string, by: Player = this.service) {
    return by.connection.procedures.appendAiTextChunkAndReturn({
      input: {
        taskId: this.taskId,
        stageOrder: 1,
        attempt: 1,
        sequence,
        deltaText,
        requestId: requestId(),
      },
    });
  }

  finish(stageOrder: number) {
    return this.procedures.completeAiStageAndReturn({
      input: {
        taskId: this.taskId,
        stageOrder,
        expectedAttempt: undefined,
        textOutput: undefined,
        structuredJson: undefined,
        warnings: [],
        requestId: requestId(),
      },
    });
  }

  attach(targetId: string) {
    return this.procedures.attachAiResultReferenceAndReturn({
      input: {
        taskId: this.taskId,
        kind: { tag: 'DraftCard' },
        targetId,
        label: 'The world',
        requestId: requestId(),
      },
    });
  }

  complete() {
    return this.procedures.completeAiTaskAndReturn({
      input: {
        taskId: this.taskId,
        structuredJson: '{"cards":1}',
        source: { tag: 'Llm' },
        requestId: requestId(),
      },
    });
  }

  fail() {
    return this.procedures.failAiTaskAndReturn({
      input: {
        taskId: this.taskId,
        expectedAttempt: undefined,
        code: 'dependency.timeout',
        message: 'no answer',
        requestId: requestId(),
      },
    });
  }

  cancel(by: Player) {
    return by.connection.procedures.cancelAiTaskAndReturn({
      input: { taskId: this.taskId, requestId: requestId() },
    });
  }

  /** The task as its owner sees it. */
  get task(): AiTask {
    return this.author.connection.db.aiTask.aiTaskId.find(this.taskId)!;
  }

  stage(order: number): AiTaskStage {
    return this.author.connection.db.aiTaskStage.aiTaskStageId.find(`${this.taskId}:${order}`)!;
  }

  get texts(): string[] {
    return [...this.author.connection.db.aiTextChunk.iter()]
      .filter(row => row.aiTaskId === this.taskId)
      .sort((a, b) => a.sequence - b.sequence)
      .map(row => row.deltaText);
  }

  /** Wait until the owner sees the task so. */
  is(status: string): Promise<void> {
    return until(this.author.connection, () => this.task?.status.tag === status);
  }

  /** Run it until its model has said two pieces. */
  async speak(): Promise<this> {
    await ask(this.start());
    await ask(this.begin(0));
    await ask(this.finish(0));
    await ask(this.begin(1));
    await ask(this.chunk(0, 'ab'));
    await ask(this.chunk(1, 'cd'));
    return this;
  }
}

/** Step 1. */
async function inOrder(desk: Desk): Promise<void> {
  await desk.create();
  await desk.is('Pending');
  assert.equal(await code(desk.complete()), 'ai.invalid_state');
  assert.equal((await ask(desk.start())).status.tag, 'Running');
  assert.equal((await ask(desk.start())).version, (await ask(desk.start())).version);
  assert.equal(await code(desk.begin(1)), 'ai.stage_order_conflict');
  assert.equal(await code(desk.chunk(0, 'ab')), 'ai.stage_not_running_state');
  assert.equal(await code(desk.begin(7)), 'ai.stage_not_found');
}

/** Step 2. */
async function chunks(desk: Desk): Promise<void> {
  assert.equal((await ask(desk.begin(0))).status.tag, 'Running');
  assert.equal((await ask(desk.finish(0))).status.tag, 'Completed');
  await ask(desk.begin(1));
  assert.equal((await ask(desk.chunk(0, 'ab'))).chunkCount, 1);
  assert.equal((await ask(desk.chunk(1, 'cd'))).chunkCount, 2);
  assert.equal((await ask(desk.chunk(1, 'cd'))).chunkCount, 2);
  assert.equal(await code(desk.chunk(1, 'xy')), 'ai.chunk_conflict');
  assert.equal(await code(desk.chunk(5, 'ef')), 'ai.chunk_out_of_range');
  await ask(desk.finish(1));
  await until(desk.author.connection, () => desk.stage(1).status.tag === 'Completed');
  assert.deepEqual(desk.texts, ['ab', 'cd']);
  assert.deepEqual([desk.stage(1).textOutput, desk.task.latestTextOutput], ['abcd', 'abcd']);
}

/** Step 3. */
async function completed(desk: Desk): Promise<void> {
  assert.equal(await code(desk.complete()), 'ai.stages_incomplete_state');
  await ask(desk.begin(2));
  assert.equal(await code(desk.complete()), 'ai.stages_incomplete_state');
  await ask(desk.finish(2));
  const target = `${session(desk.author).agentSessionId}.card_1`;
  assert.deepEqual(await ask(desk.attach(target)), await ask(desk.attach(target)));
  const reference = only(desk.author.connection.db.aiResultReference.iter());
  assert.deepEqual([reference.referenceKind.tag, reference.targetId], ['DraftCard', target]);
  const done = await ask(desk.complete());
  assert.deepEqual([done.status.tag, done.resultSource?.tag], ['Completed', 'Llm']);
  assert.equal((await ask(desk.complete())).version, done.version);
  for (const late of [desk.cancel(desk.author), desk.fail(), desk.start(), desk.chunk(2, 'ef')]) {
    assert.equal(await code(late), 'ai.task_final_state');
  }
  await desk.is('Completed');
}

/** Step 4. */
async function endedEarly(desk: () => Desk, author: Player): Promise<void> {
  const failed = await (await desk().create()).speak();
  await ask(failed.fail());
  await failed.is('Failed');
  assert.deepEqual(failed.texts, ['ab', 'cd']);
  const { status, textOutput } = failed.stage(1);
  assert.deepEqual([status.tag, textOutput], ['Failed', 'abcd']);
  const { failureCode, failureMessage } = failed.task;
  assert.deepEqual([failureCode, failureMessage], ['dependency.timeout', 'no answer']);
  assert.equal(await code(failed.attach('card_1')), 'ai.task_final_state');
  const cancelled = await (await desk().create()).speak();
  assert.equal((await ask(cancelled.cancel(author))).status.tag, 'Cancelled');
  assert.equal((await ask(cancelled.cancel(author))).status.tag, 'Cancelled');
  await cancelled.is('Cancelled');
  assert.deepEqual(cancelled.texts, ['ab', 'cd']);
  assert.equal(cancelled.stage(1).textOutput, 'abcd');
}

/** Step 5. */
async function access(desk: Desk, stranger: Player): Promise<void> {
  await (await desk.create()).speak();
  for (const who of [desk.author, stranger]) {
    assert.equal(await code(desk.chunk(2, 'ef', who)), 'auth.forbidden');
  }
  assert.equal(await code(desk.cancel(stranger)), 'ai.task_not_found');
  await until(desk.author.connection, () => desk.texts.length === 2);
  assert.deepEqual(dump(stranger.connection, SHOWN), {
    aiResultReference: [],
    aiTask: [],
    aiTaskStage: [],
    aiTextChunk: [],
  });
}

/** The same over HTTP: services work, owners read and call off. */
async function overHttp(desk: Desk, service: Player, stranger: Player): Promise<void> {
  const { author } = desk;
  const made = await answered(
    201,
    send(service.token, 'POST', TASKS, {
      scopeKind: 'agent',
      scopeId: session(author).agentSessionId,
      taskKind: 'draft_foundation',
      label: 'Draft',
      payload: {},
      stages: ['prepare_prompt', 'request_model'],
    })
  );
  const path = `${TASKS}/${made.task.aiTaskId}`;
  const work = (tail: string, body: object = {}) =>
    answered(200, send(service.token, 'POST', `${path}/${tail}`, body));
  await work('start');
  await work('stages/0/start');
  await work('stages/0/complete', { warnings: [] });
  await work('stages/1/start');
  const piece = { attempt: 1, sequence: 0, deltaText: 'ab' };
  assert.equal((await work('stages/1/chunks', piece)).stage.chunkCount, 1);
  for (const who of [author, stranger]) {
    const theirs = await refused(send(who.token, 'POST', `${path}/stages/1/chunks`, piece));
    assert.deepEqual(theirs.slice(0, 2), [403, 'auth.forbidden']);
  }
  const late = await refused(
    send(service.token, 'POST', `${path}/stages/1/chunks`, { ...piece, sequence: 5 })
  );
  assert.deepEqual(late.slice(0, 2), [400, 'ai.chunk_out_of_range']);
  const early = await refused(
    send(service.token, 'POST', `${path}/complete`, { source: 'llm' })
  );
  assert.deepEqual(early.slice(0, 2), [409, 'ai.stages_incomplete_state']);
  const hidden = await refused(send(stranger.token, 'GET', path));
  assert.deepEqual(hidden.slice(0, 2), [404, 'ai.task_not_found']);
  const read = await answered(200, send(author.token, 'GET', path));
  assert.deepEqual([read.task.status, read.stages.length], ['running', 2]);
  const ended = await answered(200, send(author.token, 'POST', `${path}/cancel`, {}));
  assert.equal(ended.task.status, 'cancelled');
  await until(
    author.connection,
    () =>
      author.connection.db.aiTask.aiTaskId.find(made.task.aiTaskId)?.status.tag === 'Cancelled'
  );
}

/** An author whose session waits, and follows all rows of tasks. */
async function openFollower(token?: string): Promise<Player> {
  const author = await openAuthor(token);
  await subscribe(author.connection, tables.aiResultReference);
  return author;
}

async function play(): Promise<void> {
  const service = await open(DbConnection.builder(), env('SERVICE_TOKEN'));
  const author = await openFollower();
  const stranger = await openFollower();
  await create(author, { locale: 'en' });
  const desk = () => new Desk(service, author);
  const first = desk();
  await inOrder(first);
  await chunks(first);
  await completed(first);
  await endedEarly(desk, author);
  await access(desk(), stranger);
  await overHttp(desk(), service, stranger);
  report({ rows: dump(author.connection, SHOWN), token: author.token });
  await Promise.all([service.ended, author.ended, stranger.ended]);
}

async function look(): Promise<void> {
  const author = await openFollower(env('TOKEN'));
  await until(author.connection, () => author.connection.db.aiTask.count() === 5n);
  report({ rows: dump(author.connection, SHOWN) });
  await close(author);
}

main(process.env['TOKEN'] === undefined ? play : look, [/Error connecting to SpacetimeDB WS/]);
