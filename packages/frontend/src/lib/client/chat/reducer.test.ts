import { describe, expect, it } from 'vitest'
import { CHANGES, change } from '../testing/changes'
import { seeded } from '../testing/random'
import { answer, message, messages, ROOM, running, snapshot } from '../testing/room'
import { RoomModel } from '../testing/roomModel'
import type { ChatAction } from './actions'
import { hasHole, lastKnown, lastWhole, position } from './log'
import { reduce } from './reducer'
import { type ChatState, emptyChat } from './state'
import { viewOf } from './view'

const opened = reduce(emptyChat, { type: 'opened', roomId: ROOM })

function apply(state: ChatState, actions: readonly ChatAction[]): ChatState {
  return actions.reduce(reduce, state)
}

/** What somebody holds who enters now. */
function fresh(room: RoomModel): ChatState {
  return reduce(opened, { type: 'entered', snapshot: room.snapshot(Number.MAX_SAFE_INTEGER) })
}

/** What must be the same, whichever way it came about. */
function held(state: ChatState) {
  const byUser = <T extends { userId: string }>(values: readonly T[]) =>
    [...values].sort((one, other) => one.userId.localeCompare(other.userId))
  return {
    log: state.log,
    streams: state.streams,
    members: byUser(state.members),
    readMarkers: byUser(state.readMarkers),
    hasHole: hasHole(state),
    isDamaged: state.isDamaged,
    conversation: viewOf(state).conversation.map(({ id }) => id),
    revision: state.branch.revision,
  }
}

/** Enters again with its position, and fetches on until it is whole. */
function catchUp(state: ChatState, room: RoomModel, limit: number): ChatState {
  let next = reduce(state, {
    type: 'entered',
    snapshot: room.snapshot(limit, position(state), state.branch.revision),
  })
  for (let page = 0; hasHole(next); page += 1) {
    const after = lastWhole(next)
    if (after === undefined || page > 500) throw new Error('It does not come to an end')
    const known = lastKnown(next)
    next = reduce(next, { type: 'newerPage', after, known, ...room.pageAfter(after, limit) })
  }
  return next
}

const SEEDS = Array.from({ length: 150 }, (_, seed) => seed + 1)

describe('a snapshot and the events after it are a fresh snapshot', () => {
  it.each(Object.keys(CHANGES))('for %s alone, and it changes something', (kind) => {
    const random = seeded(7)
    const room = new RoomModel()
    room.enter('ann')
    room.enter('bob')
    room.enter('cem')
    room.send('ann')
    room.start()
    room.write('m2', 'text')
    room.edit('m1')
    const before = fresh(room)
    const make = CHANGES[kind]
    if (!make) throw new Error(`There is no ${kind}`)
    // Some deltas are empty.
    let after = before
    for (let turn = 0; after === before || turn < 5; turn += 1)
      after = room.writing.length > 0 || turn === 0 ? apply(after, make(room, random)) : after
    expect(held(after)).not.toEqual(held(before))
    expect(held(after)).toEqual(held(fresh(room)))
  })

  it.each(SEEDS)('for any changes, seed %i', (seed) => {
    const random = seeded(seed)
    const room = new RoomModel()
    for (let turn = 0; turn < 10; turn += 1) change(room, random)
    let state = fresh(room)
    for (let turn = 0; turn < 60; turn += 1) {
      state = apply(state, change(room, random))
      expect(held(state)).toEqual(held(fresh(room)))
    }
  })

  it.each(SEEDS)('also when events are missed, and come twice, seed %i', (seed) => {
    const random = seeded(seed + 1_000)
    const room = new RoomModel()
    room.send('ann')
    let state = fresh(room)
    for (let visit = 0; visit < 8; visit += 1) {
      for (let turn = 0; turn < 10; turn += 1) state = apply(state, change(room, random))
      for (let turn = random() * 20; turn > 0; turn -= 1) change(room, random)
      // While one enters, events arrive that the snapshot holds already.
      const twice = Array.from({ length: 4 }, () => change(room, random)).flat()
      state = catchUp(state, room, 1 + Math.floor(random() * 6))
      state = apply(
        state,
        twice.filter(({ type }) => type.startsWith('stream') || type === 'message'),
      )
      expect(held(state)).toEqual(held(fresh(room)))
    }
  })
})

describe('the order', () => {
  it('is that of seq, then that of sending', () => {
    const own = { roomId: ROOM, timestamp: '', content: '' }
    const state = apply(opened, [
      { type: 'entered', snapshot: snapshot() },
      { type: 'queued', message: { ...own, id: 'own1' }, senderId: 'me', status: 'pending' },
      { type: 'queued', message: { ...own, id: 'own2' }, senderId: 'me', status: 'pending' },
      { type: 'message', message: message(2) },
      { type: 'message', message: message(1) },
      { type: 'message', message: message(2) },
      { type: 'stored', id: 'own2', stored: { seq: 3 } },
    ])
    expect(state.log.map(({ id }) => id)).toEqual(['m1', 'm2', 'own2'])
    expect(state.outgoing.map(({ id }) => id)).toEqual(['own1'])
  })

  it('keeps a stored message where it was sent while its place is not known', () => {
    const own = { id: 'own', roomId: ROOM, timestamp: '', content: 'mine' }
    const queued = apply(opened, [
      { type: 'entered', snapshot: snapshot() },
      { type: 'queued', message: own, senderId: 'me', status: 'pending' },
      { type: 'stored', id: 'own', stored: {} },
    ])
    expect(queued.outgoing).toMatchObject([{ id: 'own', status: 'sent' }])
    const placed = reduce(queued, { type: 'message', message: message(1, { id: 'own' }) })
    expect(placed.outgoing).toEqual([])
    expect(placed.log).toMatchObject([{ id: 'own', seq: 1, status: 'sent' }])
  })
})

describe('why an answer failed', () => {
  const failure = { code: 'character_failed', error: 'It broke.' } as const
  const failed = apply(opened, [
    { type: 'entered', snapshot: snapshot({ messages: messages(1, 1) }) },
    { type: 'message', message: answer(2, { state: 'streaming', content: '' }) },
    {
      type: 'streamFailed',
      failure: { roomId: ROOM, messageId: 'm2', content: 'so far', timestamp: '', ...failure },
    },
  ])

  it('is kept beside the message, which is as it is stored', () => {
    expect(failed.log.at(-1)).toEqual({
      ...answer(2, { state: 'failed', content: 'so far' }),
      status: 'sent',
    })
    expect(failed.failures).toEqual(new Map([['m2', failure]]))
  })

  it('outlives a snapshot, which does not tell it, and goes with the room', () => {
    const page = [message(1), answer(2, { state: 'failed', content: 'so far' })]
    const again = reduce(failed, { type: 'entered', snapshot: snapshot({ messages: page }) })
    expect(again.failures).toEqual(failed.failures)
    expect(reduce(again, { type: 'opened', roomId: 'other' }).failures.size).toBe(0)
  })
})

describe('a position that is not honoured', () => {
  it('replaces what is held, but for own messages on their way', () => {
    const state = apply(opened, [
      { type: 'entered', snapshot: snapshot({ messages: messages(1, 9) }) },
      {
        type: 'queued',
        message: { id: 'own', roomId: ROOM, timestamp: '', content: '' },
        senderId: 'me',
        status: 'pending',
      },
      {
        type: 'entered',
        snapshot: snapshot({ messages: messages(3, 4), hasMore: true, lastSeq: 4 }),
      },
    ])
    expect(state.log.map(({ seq }) => seq)).toEqual([3, 4])
    expect(state.outgoing).toHaveLength(1)
    expect([hasHole(state), state.hasOlder]).toEqual([false, true])
  })
})

describe('the position', () => {
  const at = (rows: ReturnType<typeof messages>, extra: ChatAction[] = []) =>
    position(apply(opened, [{ type: 'entered', snapshot: snapshot({ messages: rows }) }, ...extra]))

  it('is the last message', () => expect(at(messages(1, 3))).toBe('m3'))
  it('is none where nothing is held', () => expect(at([])).toBeUndefined())
  it('is before the first message that is not final', () =>
    expect(at([message(1), answer(2, { state: 'streaming' }), message(3)])).toBe('m1'))
  it('is before a hole', () =>
    expect(at(messages(1, 3), [{ type: 'message', message: message(7) }])).toBe('m3'))
})

describe('chunks', () => {
  const row = answer(1, { state: 'streaming', content: 'one' })
  const start = reduce(opened, {
    type: 'entered',
    snapshot: snapshot({ messages: [row], streams: [running(row, 'one', 1)] }),
  })
  const chunk = (index: number, offset: number, messageId = 'm1'): ChatAction => ({
    type: 'streamChunk',
    chunk: { roomId: ROOM, messageId, index, offset, delta: ' two' },
  })

  it('that fit are added', () => expect(reduce(start, chunk(1, 3)).log[0]?.content).toBe('one two'))
  it('that are there already are not added again', () =>
    expect(reduce(start, chunk(0, 0))).toBe(start))
  it('that were joined on the way are added where they fit', () => {
    const joined = reduce(start, chunk(4, 3))
    expect(joined.log[0]?.content).toBe('one two')
    expect(reduce(joined, chunk(5, 7)).log[0]?.content).toBe('one two two')
  })
  it.each([
    ['an index that leaves one out', chunk(2, 7)],
    ['an offset that does not fit', chunk(1, 4)],
    ['a message that was not heard of', chunk(0, 0, 'm9')],
  ])('with %s say that something is missing', (_, action) => {
    const state = reduce(start, action)
    expect(state.isDamaged).toBe(true)
    expect(state.log).toBe(start.log)
  })
  it('that come after the end change nothing', () => {
    const ended = reduce(start, {
      type: 'streamEnded',
      end: { roomId: ROOM, messageId: 'm1', content: 'one', state: 'complete', timestamp: '' },
    })
    expect(reduce(ended, chunk(1, 3))).toBe(ended)
  })
})

describe('thoughts', () => {
  const start = reduce(opened, {
    type: 'streamStarted',
    start: { roomId: ROOM, messageId: 'm1', characterId: 'c', replyTo: 'q', seq: 1, timestamp: '' },
  })
  const thought = (index: number, delta: string, messageId = 'm1'): ChatAction => ({
    type: 'streamThought',
    thought: { roomId: ROOM, messageId, index, delta },
  })
  const text = (state: ChatState) => viewOf(state).thoughts.get('m1')

  it('are put together, each piece once, with a mark where one was missed', () => {
    const pieces = [
      thought(0, 'They '),
      thought(0, 'They '),
      thought(1, 'greet.'),
      thought(3, 'Hm.'),
    ]
    expect(text(apply(start, pieces))).toBe('They greet.\n…\nHm.')
  })
  it('are no part of the text, and leave nothing damaged', () => {
    const state = apply(start, [thought(2, 'hm')])
    expect(state.log).toBe(start.log)
    expect(state.isDamaged).toBe(false)
  })
  it('are bounded', () =>
    expect(text(apply(start, [thought(0, 'x'.repeat(100_000))]))).toHaveLength(65_536))
  it('of an answer that does not run are not kept', () =>
    expect(reduce(start, thought(0, 'hm', 'm9'))).toBe(start))
  it('are gone with the end', () => {
    const end = {
      roomId: ROOM,
      messageId: 'm1',
      content: '',
      state: 'complete',
      timestamp: '',
    } as const
    expect(apply(start, [thought(0, 'hm'), { type: 'streamEnded', end }]).thoughts.size).toBe(0)
  })
})

describe('pages', () => {
  it('say nothing of what was stored after they were read', () => {
    const state = apply(opened, [
      { type: 'entered', snapshot: snapshot({ messages: messages(1, 2) }) },
      { type: 'message', message: message(4) },
    ])
    const known = lastKnown(state)
    // While the page is on its way one's own message is acknowledged, and somebody's before it is still to come.
    const acked = { ...state, lastSeq: 6 }
    const page = { after: 'm2', known, messages: messages(3, 4), hasMore: false }
    const paged = reduce(acked, { type: 'newerPage', ...page })
    expect([paged.wholeTo, hasHole(paged)]).toEqual([4, true])
    const later = reduce(paged, { type: 'message', message: message(5) })
    expect(later.log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  })

  it('that are empty show that nothing is missing of what was known', () => {
    const state = reduce(opened, {
      type: 'entered',
      snapshot: snapshot({ messages: messages(1, 2), lastSeq: 3 }),
    })
    const page = { after: 'm2', known: 3, messages: [], hasMore: false }
    expect(hasHole(reduce(state, { type: 'newerPage', ...page }))).toBe(false)
  })

  it('are never behind what is held', () => {
    const row = answer(3, { state: 'streaming', content: 'one two' })
    const state = apply(opened, [
      {
        type: 'entered',
        snapshot: snapshot({
          messages: [...messages(1, 2), row],
          streams: [running(row, 'one two', 2)],
        }),
      },
      {
        type: 'newerPage',
        after: 'm3',
        known: 3,
        messages: [{ ...row, content: 'one' }],
        hasMore: false,
      },
    ])
    expect(state.log.at(-1)?.content).toBe('one two')
    expect(state.isDamaged).toBe(false)
  })

  it('with an answer that is being written and was not followed call for a snapshot', () => {
    const state = apply(opened, [
      { type: 'entered', snapshot: snapshot({ messages: messages(1, 2), lastSeq: 3 }) },
      {
        type: 'newerPage',
        after: 'm2',
        known: 3,
        messages: [answer(3, { state: 'streaming' })],
        hasMore: false,
      },
    ])
    expect(state.isDamaged).toBe(true)
  })

  it('end what was being written, whichever way the end comes', () => {
    const row = answer(3, { state: 'streaming', content: 'one' })
    const writing = reduce(opened, {
      type: 'entered',
      snapshot: snapshot({
        messages: [...messages(1, 2), row],
        streams: [running(row, 'one', 1)],
      }),
    })
    const ended = answer(3, { content: 'one two' })
    const ways: ChatAction[] = [
      { type: 'message', message: ended },
      { type: 'checked', after: 'm2', messages: [ended], hasMore: false },
      { type: 'newerPage', after: 'm3', known: 3, messages: [ended], hasMore: false },
    ]
    for (const way of ways) {
      const state = reduce(writing, way)
      expect([state.streams.size, state.log.at(-1)?.content]).toEqual([0, 'one two'])
    }
  })

  it('to compare say where more is missing than they hold', () => {
    const state = reduce(opened, {
      type: 'entered',
      snapshot: snapshot({ messages: messages(1, 2) }),
    })
    const page = { type: 'checked', after: 'm2', messages: messages(3, 4) } as const
    const [more, all] = [true, false].map((hasMore) => reduce(state, { ...page, hasMore }))
    expect([more?.isDamaged, all?.isDamaged]).toEqual([true, false])
    expect(all && [all.wholeTo, hasHole(all)]).toEqual([4, false])
  })

  it('to compare that were asked for from where one is not any more change nothing', () => {
    const state = reduce(opened, {
      type: 'entered',
      snapshot: snapshot({ messages: messages(51, 52), hasMore: true }),
    })
    const page = { type: 'checked', after: 'm2', messages: messages(3, 4) } as const
    expect(reduce(state, { ...page, hasMore: true })).toBe(state)
  })

  it('that are older go before what is held', () => {
    const state = apply(opened, [
      { type: 'entered', snapshot: snapshot({ messages: messages(5, 6), hasMore: true }) },
      { type: 'olderPage', messages: messages(3, 4), hasMore: false },
    ])
    expect(state.log.map(({ seq }) => seq)).toEqual([3, 4, 5, 6])
    expect(state.hasOlder).toBe(false)
  })
})
