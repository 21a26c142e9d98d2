import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../types/socket'
import { hold, release } from '../chat/holding'
import { ManualClock, settle } from '../testing/manualClock'
import { MemoryTransport } from '../testing/memoryTransport'
import { answer, message, roomAck } from '../testing/room'
import { type KnownRoom, UnreadRooms } from './rooms'

const ME = 'me'

function room(roomId: string, change: Partial<KnownRoom> = {}): KnownRoom {
  return { roomId, unread: 0, lastSeq: 2, readSeq: 2, lastMessage: { id: 'm2' }, ...change }
}

function stage({ roomsMax = 20 } = {}) {
  const clock = new ManualClock()
  const transport = new MemoryTransport()
  transport.userId = ME
  transport.onSent = (sent) => {
    if (sent.event === 'room:join')
      sent.reply(roomAck({ roomId: sent.payload.roomId, recovered: true, lastSeq: 2 }))
  }
  transport.accept()
  const unread = new UnreadRooms({ clock, ackTimeout: 5_000, roomsMax, patience: 1_000 })
  const heard: string[] = []
  let stale = 0
  unread.setHandlers({
    onMessage: ({ content }) => heard.push(content),
    onStale: () => {
      stale += 1
    },
  })
  const update = async (...rooms: KnownRoom[]) => {
    unread.update({ channel: transport, rooms })
    await settle()
  }
  const come = (roomId: string, seq: number, change: Partial<ChatMessage> = {}) =>
    transport.push('message:new', message(seq, { roomId, ...change }))
  return {
    clock,
    transport,
    unread,
    heard,
    stale: () => stale,
    update,
    come,
    joined: () => transport.all('room:join').map(({ payload }) => payload.roomId),
    left: () => transport.all('room:leave').map(({ payload }) => payload.roomId),
    of: (roomId: string) => unread.getSnapshot().rooms.get(roomId),
  }
}

describe('rooms that are not in view', () => {
  it('are entered without being in view, from where the list ends', async () => {
    const { transport, update } = stage()
    await update(room('one'), room('two', { lastSeq: 0, readSeq: 0, lastMessage: undefined }))
    expect(transport.all('room:join').map(({ payload }) => payload)).toEqual([
      { roomId: 'one', background: true, lastMessageId: 'm2' },
      { roomId: 'two', background: true },
    ])
    expect(transport.all('messages:read')).toEqual([])
  })

  it('are only so many, the newest, and are left when others are newer', async () => {
    const { update, joined, left } = stage({ roomsMax: 2 })
    await update(room('one'), room('two'), room('three'))
    expect(joined()).toEqual(['one', 'two'])
    await update(room('three'), room('one'), room('two'))
    expect(joined()).toEqual(['one', 'two', 'three'])
    expect(left()).toEqual(['two'])
  })

  it('bring what is unread, as it comes', async () => {
    const { update, come, of, unread, heard } = stage()
    await update(room('one', { unread: 1, readSeq: 1 }), room('two'))
    come('one', 3)
    come('one', 3)
    come('one', 4, { senderId: ME })
    come('two', 3)
    expect([of('one'), of('two'), unread.getSnapshot().total]).toEqual([2, 1, 3])
    expect(heard).toEqual(['text 3', 'text 3'])
  })

  it('count an answer when it begins, and tell of it when it has ended', async () => {
    const { transport, update, of, heard } = stage()
    await update(room('one'))
    const row = answer(3, { roomId: 'one' })
    const { id: messageId, roomId, seq, timestamp, senderId: characterId } = row
    const start = { roomId, messageId, characterId, replyTo: 'm2', seq, timestamp }
    transport.push('message:stream:start', start)
    expect([of('one'), heard]).toEqual([1, []])
    const end = { roomId, messageId, content: 'whole', state: 'complete', timestamp } as const
    transport.push('message:stream:end', end)
    transport.push('message:stream:end', end)
    expect([of('one'), heard]).toEqual([1, ['whole']])
  })

  it('tell of what is deleted in them', async () => {
    const { transport, update, unread } = stage()
    const gone: string[] = []
    unread.setHandlers({ onDeleted: ({ messageId }) => gone.push(messageId) })
    await update(room('one'))
    transport.push('message:deleted', {
      roomId: 'one',
      messageId: 'm2',
      revision: 1,
      timestamp: '',
    })
    expect(gone).toEqual(['m2'])
  })

  it('are read when another device says so, and not when somebody else or a character does', async () => {
    const { transport, update, come, of, unread } = stage()
    await update(room('one'))
    come('one', 3)
    const mark = { roomId: 'one', messageId: 'm3', seq: 3, timestamp: '' }
    transport.push('messages:read', { ...mark, userId: 'other' })
    transport.push('messages:read', { ...mark, userId: ME, characterId: 'echo' })
    expect([of('one'), unread.isUnread('one', 3)]).toEqual([1, true])
    transport.push('messages:read', { ...mark, userId: ME })
    expect([of('one'), unread.isUnread('one', 3)]).toEqual([0, false])
  })

  it('are caught up with by position after a break', async () => {
    const { transport, update, come, of, stale } = stage()
    await update(room('one'))
    come('one', 3)
    transport.drop()
    transport.onSent = ({ event, reply }) => {
      if (event !== 'room:join') return
      const missed = [message(4, { roomId: 'one' }), message(5, { roomId: 'one' })]
      const read = [{ userId: ME, messageId: 'm4', seq: 4, timestamp: '' }]
      const ack = { roomId: 'one', recovered: true, messages: missed, lastSeq: 5, read }
      ;(reply as (value: unknown) => void)(roomAck(ack))
    }
    transport.accept()
    await settle()
    expect(transport.last('room:join').payload.lastMessageId).toBe('m3')
    expect([of('one'), stale()]).toEqual([1, 0])
  })

  it.each([{ recovered: false }, { recovered: true, hasMore: true }])(
    'ask for the list where more was missed than is told: %j',
    async (change) => {
      const { transport, update, stale } = stage()
      await update(room('one'))
      transport.drop()
      transport.onSent = ({ event, reply }) => {
        if (event !== 'room:join') return
        const ack = { roomId: 'one', messages: [message(9)], lastSeq: 9, ...change }
        ;(reply as (value: unknown) => void)(roomAck(ack))
      }
      transport.accept()
      await settle()
      expect(stale()).toBe(1)
    },
  )

  it('are entered again where something is missing, a moment later', async () => {
    const { clock, transport, update, come, of } = stage()
    await update(room('one'))
    transport.onSent = ({ event, reply }) => {
      if (event !== 'room:join') return
      const missed = [message(3, { roomId: 'one' }), message(4, { roomId: 'one' })]
      const ack = { roomId: 'one', recovered: true, messages: missed, lastSeq: 4 }
      ;(reply as (value: unknown) => void)(roomAck(ack))
    }
    come('one', 4)
    await clock.advance(999)
    expect([transport.all('room:join').length, of('one')]).toEqual([1, 1])
    await clock.advance(1)
    expect([transport.all('room:join').length, of('one')]).toEqual([2, 2])
    come('one', 5)
    await clock.advance(10_000)
    expect([transport.all('room:join').length, of('one')]).toEqual([2, 3])
  })

  it('are asked for again when the server can not do it now, and not when it will not', async () => {
    const { clock, transport, update, joined } = stage()
    transport.onSent = ({ event, payload, reply }) => {
      if (event !== 'room:join') return
      const isFull = (payload as { roomId: string }).roomId === 'one'
      const code = isFull ? 'rate_limited' : 'forbidden'
      const refusal = { success: false, code, error: '', ...(isFull && { retryAfterMs: 3_000 }) }
      ;(reply as (value: unknown) => void)(refusal)
    }
    await update(room('two'), room('one'))
    await clock.advance(2_999)
    expect(joined()).toEqual(['two', 'one'])
    await clock.advance(1)
    expect(joined()).toEqual(['two', 'one', 'one'])
  })
})

describe('a room that is in view', () => {
  it('is not entered in the background, and is when it is not in view any more', async () => {
    const { transport, update, joined, left, come, of } = stage()
    hold(transport, 'one')
    await update(room('one'), room('two'))
    expect(joined()).toEqual(['two'])
    come('one', 3)
    expect(of('one')).toBe(1)
    expect(release(transport, 'one')).toBe(false)
    await settle()
    expect([joined(), left()]).toEqual([['two', 'one'], []])
  })

  it('is left by whoever had it in view where it is none of the newest', async () => {
    const { transport, update } = stage()
    await update(room('two'))
    hold(transport, 'one')
    expect(release(transport, 'one')).toBe(true)
  })
})

it('a message in a room that is not in the list has the list asked for', async () => {
  const { update, come, stale } = stage()
  await update(room('one'))
  come('new', 1)
  expect(stale()).toBe(1)
})

it('when it is closed it leaves everything, and nothing is left over', async () => {
  const { clock, transport, unread, update, left, come } = stage()
  await update(room('one'), room('two'))
  come('two', 9)
  unread.close()
  expect(left()).toEqual(['one', 'two'])
  expect(unread.getSnapshot()).toEqual({ rooms: new Map(), total: 0 })
  expect([clock.planned, transport.listening]).toEqual([0, 0])
})
