import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { MessageChosen, MessageDeleted } from '../../types/socket'
import { message, ROOM, snapshot } from '../testing/room'
import type { ChatAction } from './actions'
import { headOf } from './branches'
import { reduce } from './reducer'
import { emptyChat } from './state'
import { viewOf } from './view'

// The examples that the Python tests hold against the server's rule.

type Step =
  | { type: 'row'; seq: number; parentSeq?: number; variantOf?: string }
  | ({ type: 'chosen' } & Pick<MessageChosen, 'messageId' | 'head' | 'lastSeq' | 'revision'>)
  | ({ type: 'deleted' } & Pick<MessageDeleted, 'messageId' | 'revision'>)

interface Example {
  steps: Step[]
  shown: { head: number; path: string[]; variants: Record<string, string[]> }
}

const FILE = new URL('../../../../../../protocol/fixtures/branches/cases.json', import.meta.url)
const EXAMPLES = JSON.parse(readFileSync(fileURLToPath(FILE), 'utf8')) as Example[]
const TIME = '2026-01-31T09:05:00.042Z'

function actionOf(step: Step): ChatAction {
  switch (step.type) {
    case 'row': {
      const { type: _, seq, ...branch } = step
      return { type: 'message', message: message(seq, { id: `m${seq}`, ...branch }) }
    }
    case 'chosen': {
      const { type: _, ...chosen } = step
      return { type: 'chosen', chosen: { roomId: ROOM, userId: 'ann', timestamp: TIME, ...chosen } }
    }
    case 'deleted': {
      const { type: _, ...deleted } = step
      return { type: 'deleted', deleted: { roomId: ROOM, timestamp: TIME, ...deleted } }
    }
  }
}

const entered = [
  { type: 'opened', roomId: ROOM },
  { type: 'entered', snapshot: snapshot() },
] satisfies ChatAction[]

function played(steps: readonly Step[]) {
  return [...entered, ...steps.map(actionOf)].reduce(reduce, emptyChat)
}

function shownBy(state: ReturnType<typeof played>) {
  const view = viewOf(state)
  return {
    head: headOf(state.log, state.branch),
    path: view.conversation.map(({ id }) => id),
    variants: Object.fromEntries(view.variants),
  }
}

describe('the examples of branches', () => {
  it.each(EXAMPLES)('are shown as they say: $#', ({ steps, shown }) => {
    expect(shownBy(played(steps))).toEqual(shown)
  })

  it.each(EXAMPLES)('are shown alike to one who comes in between: $#', ({ steps, shown }) => {
    const middle = Math.floor(steps.length / 2)
    const early = played(steps.slice(0, middle))
    const { branch, log } = early
    const later: ChatAction = {
      type: 'entered',
      snapshot: snapshot({
        messages: [...log],
        head: headOf(log, branch),
        revision: branch.revision,
      }),
    }
    const actions = [
      { type: 'opened', roomId: ROOM } as const,
      later,
      ...steps.slice(middle).map(actionOf),
    ]
    expect(shownBy(actions.reduce(reduce, emptyChat))).toEqual(shown)
  })
})

describe('a change', () => {
  const steps: Step[] = [
    { type: 'row', seq: 1 },
    { type: 'row', seq: 2 },
    { type: 'row', seq: 3, parentSeq: 1, variantOf: 'm2' },
  ]
  const choice = (messageId: string, head: number, revision: number): Step => ({
    type: 'chosen',
    messageId,
    head,
    lastSeq: 3,
    revision,
  })

  it('that comes late does not undo a later one', () => {
    const state = played([...steps, choice('m2', 2, 1), choice('m3', 3, 2), choice('m2', 2, 1)])
    expect(shownBy(state).path).toEqual(['m1', 'm3'])
    expect(state.isDamaged).toBe(false)
  })

  it('before which another one is missing makes the room be entered again', () => {
    const state = played([...steps, choice('m2', 2, 2)])
    expect(state.isDamaged).toBe(true)
    expect(state.branch.revision).toBe(0)
  })

  it('that a check finds makes the room be entered again', () => {
    const state = played(steps)
    const checked: ChatAction = { type: 'checked', after: 'm3', messages: [], hasMore: false }
    expect(reduce(state, checked).isDamaged).toBe(false)
    expect(reduce(state, { ...checked, revision: 1 }).isDamaged).toBe(true)
  })

  it('takes the text of a message away, also while one was away, and an older page brings it not back', () => {
    const before = played(steps)
    const [first] = before.log
    const deleted: Step = { type: 'deleted', messageId: 'm1', revision: 1 }
    const live = played([...steps, deleted])
    const away = reduce(before, {
      type: 'entered',
      snapshot: snapshot({
        recovered: true,
        lastSeq: 3,
        revision: 1,
        deleted: [{ messageId: 'm1', timestamp: TIME }],
      }),
    })
    for (const state of [live, away]) {
      expect(state.log[0]).toMatchObject({ content: '', deletedAt: TIME })
      const page = { type: 'olderPage', messages: [first], hasMore: false } as ChatAction
      expect(reduce(state, page).log[0]).toMatchObject({ content: '', deletedAt: TIME })
    }
  })

  it('is kept when what is held is cleared', () => {
    const cleared = reduce(played([...steps, choice('m2', 2, 1)]), { type: 'cleared' })
    const next = reduce(cleared, actionOf({ type: 'row', seq: 4, parentSeq: 2 }))
    expect(viewOf(next).conversation.map(({ id }) => id)).toEqual(['m4'])
  })
})
