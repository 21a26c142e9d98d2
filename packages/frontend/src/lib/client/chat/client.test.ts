import { describe, expect, it } from 'vitest'
import type { LineQuality } from '../connection/quality'
import { Store } from '../store'
import { type ChatStage, chatStage } from '../testing/chat'
import { settle } from '../testing/manualClock'
import { answer, CHARACTER, message, messages, ROOM, roomAck, running } from '../testing/room'

/** In the room, with the messages 1 to `count`. */
async function inRoom(count = 2): Promise<ChatStage> {
  const stage = chatStage()
  stage.transport.accept()
  await stage.bind()
  stage.transport.last('room:join').reply(roomAck({ messages: messages(1, count) }))
  await settle()
  return stage
}

async function reconnect({ transport }: ChatStage) {
  transport.drop()
  await settle()
  transport.accept()
  await settle()
}

describe('an edit', () => {
  /** Sends it; what the server was asked with, all of it unanswered. */
  async function unanswered(stage: ChatStage, content: string): Promise<string[]> {
    const before = stage.transport.all('message:edit').length
    const done = stage.chat.editMessage('m1', content)
    await stage.clock.advance(60_000)
    expect(await done).toBe(false)
    const sent = stage.transport.all('message:edit').slice(before)
    expect(sent.length).toBeGreaterThan(0)
    return sent.map(({ payload }) => payload.newMessageId ?? '')
  }

  it('keeps its id until the server has answered, however often it is sent again', async () => {
    const stage = await inRoom()
    const [id, ...others] = await unanswered(stage, 'better')
    expect(new Set([...others, ...(await unanswered(stage, 'better'))])).toEqual(new Set([id]))
    const done = stage.chat.editMessage('m1', 'better')
    const { payload, reply } = stage.transport.last('message:edit')
    expect(payload.newMessageId).toBe(id)
    reply({ success: true, messageId: id ?? '', seq: 3, timestamp: '' })
    expect(await done).toBe(true)
    void stage.chat.editMessage('m1', 'better')
    expect(stage.transport.last('message:edit').payload.newMessageId).not.toBe(id)
  })

  it('to another text is another one', async () => {
    const stage = await inRoom()
    const [id] = await unanswered(stage, 'better')
    const [other] = await unanswered(stage, 'best')
    expect(other).not.toBe(id)
    expect((await unanswered(stage, 'best'))[0]).toBe(other)
  })
})

describe('entering', () => {
  it('joins the bound room as soon as there is a connection', async () => {
    const { transport, bind, view } = chatStage()
    await bind()
    expect(transport.sent).toEqual([])
    transport.accept()
    await settle()
    expect(transport.last('room:join').payload).toEqual({ roomId: ROOM, characterId: CHARACTER })
    expect(view().isInRoom).toBe(false)
    transport.last('room:join').reply(roomAck({ messages: messages(4, 5), hasMore: true }))
    await settle()
    expect(view()).toMatchObject({ isInRoom: true, hasMore: true })
    expect(view().messages.map(({ id, status }) => [id, status])).toEqual([
      ['m4', 'sent'],
      ['m5', 'sent'],
    ])
  })

  it('waits until it is told that the connection may be used', async () => {
    const { transport, bind } = chatStage()
    transport.accept()
    await bind({ isConnected: false })
    expect(transport.sent).toEqual([])
    await bind()
    expect(transport.all('room:join')).toHaveLength(1)
  })

  it('joins once where it is bound, unbound and bound again in one go', async () => {
    const { chat, transport } = chatStage()
    transport.accept()
    const binding = { channel: transport, isConnected: true, roomId: ROOM }
    chat.bind(binding)()
    chat.bind(binding)
    await settle()
    expect(transport.sent.map(({ event }) => event)).toEqual(['room:join'])
  })

  it('rejoins with its position after a reconnect', async () => {
    const stage = await inRoom()
    await reconnect(stage)
    expect(stage.transport.last('room:rejoin').payload).toEqual({
      roomId: ROOM,
      characterId: CHARACTER,
      lastMessageId: 'm2',
    })
    stage.transport
      .last('room:rejoin')
      .reply(roomAck({ recovered: true, messages: [message(3)], lastSeq: 3 }))
    await settle()
    expect(stage.contents()).toEqual(['text 1', 'text 2', 'text 3'])
  })

  it('shares one entry among those who ask for it', async () => {
    const stage = await inRoom()
    await reconnect(stage)
    const asked = [stage.chat.rejoinRoom(ROOM, CHARACTER), stage.chat.joinRoom(ROOM, CHARACTER)]
    await settle()
    expect(stage.transport.all('room:rejoin')).toHaveLength(1)
    stage.transport.last('room:rejoin').reply(roomAck({ recovered: true, lastSeq: 2 }))
    expect(await Promise.all(asked)).toEqual([true, true])
  })

  it('leaves a room alone that the page is not about', async () => {
    const stage = await inRoom()
    expect(await stage.chat.rejoinRoom('another')).toBe(false)
    expect(stage.transport.sent.map(({ event }) => event)).toEqual(['room:join'])
  })

  it('tries again when there is no answer or the server cannot now', async () => {
    const { transport, clock, bind, view } = chatStage()
    transport.accept()
    await bind()
    await clock.advance(5_000)
    expect(transport.all('room:join')).toHaveLength(2)
    transport
      .last('room:join')
      .reply({ success: false, code: 'rate_limited', error: 'slowly', retryAfterMs: 700 })
    await clock.advance(699)
    expect(transport.all('room:join')).toHaveLength(2)
    await clock.advance(1)
    transport.last('room:join').reply(roomAck())
    await settle()
    expect(view().isInRoom).toBe(true)
  })

  it('shows why it may not enter, and does not try again', async () => {
    const { transport, clock, bind, view } = chatStage()
    transport.accept()
    await bind()
    transport.last('room:join').reply({ success: false, code: 'forbidden', error: 'members only' })
    await clock.advance(60_000)
    expect(view()).toMatchObject({ isInRoom: false, error: { code: 'forbidden' } })
    expect(transport.all('room:join')).toHaveLength(1)
  })

  it('leaves when another room is bound, and when none is', async () => {
    const stage = await inRoom()
    const unbind = await stage.bind({ roomId: 'other' })
    expect(stage.transport.sent.slice(1).map(({ event, payload }) => [event, payload])).toEqual([
      ['room:leave', { roomId: ROOM }],
      ['room:join', { roomId: 'other', characterId: CHARACTER }],
    ])
    expect(stage.view().messages).toEqual([])
    unbind()
    await settle()
    expect(stage.transport.last('room:leave').payload).toEqual({ roomId: 'other' })
    stage.transport.drop()
    expect(stage.transport.listening).toBe(0)
    expect(stage.clock.planned).toBe(0)
  })

  it('stays away after leaving until it is asked', async () => {
    const stage = await inRoom()
    await stage.chat.leaveRoom()
    await stage.bind({ isConnected: false })
    await stage.bind()
    expect(stage.view().isInRoom).toBe(false)
    expect(stage.transport.all('room:join')).toHaveLength(1)
    void stage.chat.joinRoom()
    expect(stage.transport.all('room:join')).toHaveLength(2)
  })

  it('tells the server when one talks with another character', async () => {
    const stage = await inRoom()
    await stage.bind({ characterId: 'char_2' })
    expect(stage.transport.last('room:rejoin').payload).toMatchObject({ characterId: 'char_2' })
  })
})

describe('what arrives while a snapshot is on its way', () => {
  it('is laid on top of it, once', async () => {
    const stage = await inRoom()
    void stage.chat.rejoinRoom()
    const row = answer(3, { state: 'streaming', content: 'on' })
    stage.transport.push('message:stream:chunk', {
      roomId: ROOM,
      messageId: row.id,
      index: 0,
      offset: 0,
      delta: 'one',
    })
    stage.transport.push('message:stream:chunk', {
      roomId: ROOM,
      messageId: row.id,
      index: 1,
      offset: 3,
      delta: ' two',
    })
    stage.transport.last('room:rejoin').reply(
      roomAck({
        recovered: true,
        messages: [row],
        lastSeq: 3,
        streams: [running(row, 'one', 1)],
      }),
    )
    await settle()
    expect(stage.view().streamingMessages).toEqual(new Map([['m3', 'one two']]))
    expect(stage.contents().at(-1)).toBe('one two')
    await stage.clock.advance(10_000)
    expect(stage.transport.all('room:rejoin')).toHaveLength(1)
  })
})

describe('too much of it', () => {
  it('is dropped, and fetched with another snapshot', async () => {
    const stage = await inRoom()
    void stage.chat.rejoinRoom()
    for (let seq = 3; seq <= 6_000; seq += 1) stage.transport.push('message:new', message(seq))
    stage.transport.last('room:rejoin').reply(roomAck({ recovered: true, lastSeq: 2 }))
    await stage.clock.advance(1_000)
    expect(stage.transport.all('room:rejoin')).toHaveLength(2)
  })
})

describe('staying whole', () => {
  it('fetches what a hole hides', async () => {
    const stage = await inRoom()
    stage.transport.push('message:new', message(5))
    await stage.clock.advance(999)
    expect(stage.transport.all('messages:history')).toEqual([])
    await stage.clock.advance(1)
    const asked = stage.transport.last('messages:history')
    expect(asked.payload).toEqual({ roomId: ROOM, after: 'm2', limit: 100 })
    asked.reply({ success: true, roomId: ROOM, messages: messages(3, 5), hasMore: false })
    await settle()
    expect(stage.view().messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  })

  it('is patient with what is only late', async () => {
    const stage = await inRoom()
    stage.transport.push('message:new', message(4))
    await stage.clock.advance(500)
    stage.transport.push('message:new', message(3))
    await stage.clock.advance(5_000)
    expect(stage.transport.all('messages:history')).toEqual([])
    expect(stage.view().messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  it('fetches on, page by page, when a snapshot has more', async () => {
    const stage = await inRoom()
    await reconnect(stage)
    stage.transport
      .last('room:rejoin')
      .reply(roomAck({ recovered: true, messages: messages(3, 4), hasMore: true, lastSeq: 7 }))
    await settle()
    expect(stage.transport.last('messages:history').payload).toMatchObject({ after: 'm4' })
    stage.transport
      .last('messages:history')
      .reply({ success: true, roomId: ROOM, messages: messages(5, 6), hasMore: true })
    await settle()
    expect(stage.transport.last('messages:history').payload).toMatchObject({ after: 'm6' })
    stage.transport
      .last('messages:history')
      .reply({ success: true, roomId: ROOM, messages: messages(7, 7), hasMore: false })
    await settle()
    expect(stage.view().messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
    await stage.clock.advance(60_000)
    expect(stage.transport.all('messages:history')).toHaveLength(2)
  })

  it('asks for a snapshot when the history does not answer', async () => {
    const stage = await inRoom()
    stage.transport.push('message:new', message(5))
    await stage.clock.advance(6_000)
    expect(stage.transport.last('room:rejoin').payload).toMatchObject({ lastMessageId: 'm2' })
  })

  it('asks for a snapshot when told to, and when a chunk does not fit', async () => {
    const stage = await inRoom()
    stage.transport.push('room:resync', { roomId: ROOM, reason: 'gap' })
    await stage.clock.advance(1_000)
    expect(stage.transport.all('room:rejoin')).toHaveLength(1)
    stage.transport.last('room:rejoin').reply(roomAck({ recovered: true, lastSeq: 2 }))
    await settle()
    stage.transport.push('message:stream:chunk', {
      roomId: ROOM,
      messageId: 'unheard of',
      index: 3,
      offset: 9,
      delta: 'x',
    })
    await stage.clock.advance(1_000)
    expect(stage.transport.all('room:rejoin')).toHaveLength(2)
    expect(stage.view().isInRoom).toBe(true)
  })
})

describe('history', () => {
  it('loads what is older than the oldest', async () => {
    const stage = chatStage()
    stage.transport.accept()
    await stage.bind()
    stage.transport.last('room:join').reply(roomAck({ messages: messages(5, 6), hasMore: true }))
    await settle()
    const loading = stage.chat.loadMessageHistory(2)
    expect(stage.view().isLoadingHistory).toBe(true)
    const asked = stage.transport.last('messages:history')
    expect(asked.payload).toEqual({ roomId: ROOM, before: 'm5', limit: 2 })
    asked.reply({ success: true, roomId: ROOM, messages: messages(3, 4), hasMore: true })
    expect(await loading).toBe(true)
    expect(stage.view().messages.map(({ seq }) => seq)).toEqual([3, 4, 5, 6])
    expect(stage.view().isLoadingHistory).toBe(false)
  })

  it('shows what went wrong', async () => {
    const stage = await inRoom()
    const loading = stage.chat.loadMessageHistory()
    await stage.clock.advance(5_000)
    await loading
    expect(stage.view().error).toMatchObject({ code: 'timeout' })
  })
})

describe('sending', () => {
  it('shows a message at once and moves it to its place when it is stored', async () => {
    const stage = await inRoom()
    stage.transport.userId = 'me'
    const sending = stage.chat.sendMessage('hello')
    const { payload, reply } = stage.transport.last('message:send:stream')
    expect(payload).toMatchObject({ roomId: ROOM, content: 'hello', characterId: CHARACTER })
    expect(stage.view().messages.at(-1)).toMatchObject({
      seq: 0,
      status: 'pending',
      content: 'hello',
      senderId: 'me',
    })
    expect(stage.view().pendingMessages).toEqual([payload.messageId])
    stage.transport.push('message:new', message(3, { content: 'somebody was faster' }))
    reply({ success: true, messageId: payload.messageId ?? '', timestamp: 'now', seq: 4 })
    expect(await sending).toBe(true)
    expect(stage.contents()).toEqual(['text 1', 'text 2', 'somebody was faster', 'hello'])
    expect(stage.view().messages.at(-1)).toMatchObject({ seq: 4, status: 'sent' })
    expect(stage.view().pendingMessages).toEqual([])
  })

  it('asks nobody to answer where no character is named', async () => {
    const stage = chatStage()
    stage.transport.accept()
    await stage.bind({ characterId: undefined })
    stage.transport.last('room:join').reply(roomAck())
    await settle()
    void stage.chat.sendMessage('hello', { replyTo: 'm1', metadata: { a: 1 } })
    expect(stage.transport.last('message:send').payload).toEqual({
      roomId: ROOM,
      content: 'hello',
      messageId: expect.any(String),
      replyTo: 'm1',
      metadata: { a: 1 },
    })
  })

  it('takes the message itself for an acknowledgement that was lost', async () => {
    const stage = await inRoom()
    const sending = stage.chat.sendMessage('hello')
    const id = stage.transport.last('message:send:stream').payload.messageId ?? ''
    stage.transport.push('message:new', message(3, { id, content: 'hello', senderId: 'me' }))
    expect(await sending).toBe(true)
    expect(stage.contents()).toEqual(['text 1', 'text 2', 'hello'])
    await stage.clock.advance(60_000)
    expect(stage.transport.all('message:send:stream')).toHaveLength(1)
  })

  it('keeps what is written without a connection, and sends it in order once it is in the room', async () => {
    const stage = await inRoom()
    stage.transport.drop()
    const sending = [stage.chat.sendMessage('one'), stage.chat.sendMessage('two')]
    await stage.clock.advance(120_000)
    expect(stage.view().pendingMessages).toHaveLength(2)
    stage.transport.accept()
    await settle()
    expect(stage.transport.all('message:send:stream')).toEqual([])
    let seq = 2
    stage.transport.onSent = (sent) => {
      if (sent.event !== 'message:send:stream') return
      seq += 1
      sent.reply({ success: true, messageId: sent.payload.messageId ?? '', timestamp: '', seq })
    }
    stage.transport.last('room:rejoin').reply(roomAck({ recovered: true, lastSeq: 2 }))
    expect(await Promise.all(sending)).toEqual([true, true])
    expect(stage.contents()).toEqual(['text 1', 'text 2', 'one', 'two'])
  })

  it('sends again with the same id what a lost connection left open, unless the room has it', async () => {
    const stage = await inRoom()
    const first = stage.chat.sendMessage('stored, but not acknowledged')
    const { messageId } = stage.transport.last('message:send:stream').payload
    const second = stage.chat.sendMessage('not stored')
    await reconnect(stage)
    const stored = message(3, {
      id: messageId ?? '',
      content: 'stored, but not acknowledged',
      senderId: 'me',
    })
    stage.transport
      .last('room:rejoin')
      .reply(roomAck({ recovered: true, messages: [stored], lastSeq: 3 }))
    expect(await first).toBe(true)
    const sent = stage.transport.all('message:send:stream')
    expect(sent.map(({ payload }) => payload.content)).toEqual([
      'stored, but not acknowledged',
      'not stored',
    ])
    sent.at(-1)?.reply({ success: true, messageId: '', timestamp: '', seq: 4 })
    expect(await second).toBe(true)
  })

  it('fails after the last retry, and can be retried or given up', async () => {
    const stage = await inRoom()
    const sending = stage.chat.sendMessage('hello')
    await stage.clock.advance(15_000)
    expect(await sending).toBe(false)
    const ids = stage.transport.all('message:send:stream').map(({ payload }) => payload.messageId)
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(1)
    const id = ids[0] ?? ''
    expect(stage.view().messages.at(-1)).toMatchObject({ id, status: 'failed' })
    expect(stage.view().pendingMessages).toEqual([])
    const retrying = stage.chat.retryMessage(id)
    expect(stage.view().messages.at(-1)).toMatchObject({ id, status: 'pending' })
    stage.transport
      .last('message:send:stream')
      .reply({ success: false, code: 'too_large', error: 'too long' })
    expect(await retrying).toBe(false)
    expect(stage.view().error).toMatchObject({ code: 'too_large', message: 'too long' })
    stage.chat.discardMessage(id)
    expect(stage.contents()).toEqual(['text 1', 'text 2'])
    void stage.chat.sendMessage('shorter')
    expect(stage.view().error).toBeNull()
  })

  it('keeps a failed message where a new snapshot replaces everything else', async () => {
    const stage = await inRoom()
    void stage.chat.sendMessage('hello')
    await stage.clock.advance(15_000)
    await reconnect(stage)
    stage.transport
      .last('room:rejoin')
      .reply(roomAck({ messages: messages(90, 91), hasMore: true }))
    await settle()
    expect(stage.contents()).toEqual(['text 90', 'text 91', 'hello'])
  })

  it('finds a message again in its room that was not sent when the room was left', async () => {
    const stage = await inRoom()
    stage.transport.drop()
    const sending = stage.chat.sendMessage('for later')
    await stage.bind({ roomId: 'other' })
    expect(await sending).toBe(false)
    expect(stage.view().messages).toEqual([])
    await stage.bind()
    expect(stage.view().messages).toMatchObject([{ content: 'for later', status: 'pending' }])
  })

  it('sends nothing that is empty, and nothing without a room', async () => {
    const stage = await inRoom()
    expect(await stage.chat.sendMessage('  \n')).toBe(false)
    await stage.chat.leaveRoom()
    expect(await stage.chat.sendMessage('hello')).toBe(false)
    expect(stage.transport.all('message:send:stream')).toEqual([])
  })
})

describe('clearing', () => {
  it('empties the list for good, also over a reconnect', async () => {
    const stage = await inRoom()
    stage.chat.clearMessages()
    expect(stage.view()).toMatchObject({ messages: [], hasMore: true })
    await reconnect(stage)
    expect(stage.transport.last('room:rejoin').payload).toMatchObject({ lastMessageId: 'm2' })
    stage.transport
      .last('room:rejoin')
      .reply(roomAck({ recovered: true, messages: [message(3)], lastSeq: 3 }))
    await settle()
    expect(stage.contents()).toEqual(['text 3'])
  })
})

describe('others', () => {
  it('shows who types until they stop, send, or fall silent', async () => {
    const stage = await inRoom()
    stage.transport.push('typing:start', { roomId: ROOM, userId: 'ann' })
    stage.transport.push('typing:start', { roomId: ROOM, userId: 'bob' })
    stage.transport.push('typing:start', { roomId: ROOM, userId: 'cem' })
    stage.transport.push('typing:start', { roomId: 'elsewhere', userId: 'dee' })
    expect(stage.view()).toMatchObject({ isTyping: true, typingUsers: ['ann', 'bob', 'cem'] })
    stage.transport.push('typing:stop', { roomId: ROOM, userId: 'ann' })
    stage.transport.push('message:new', message(3, { senderId: 'bob' }))
    expect(stage.view().typingUsers).toEqual(['cem'])
    await stage.clock.advance(6_000)
    expect(stage.view()).toMatchObject({ isTyping: false, typingUsers: [] })
  })

  it('is not told over a poor line, though it is ended', async () => {
    const stage = await inRoom()
    const line = new Store<LineQuality>({ quality: 'good', loss: 0 })
    stage.transport.quality = line
    stage.chat.startTyping()
    expect(stage.transport.all('typing:start')).toHaveLength(1)
    line.set({ quality: 'poor', loss: 0 })
    stage.chat.stopTyping()
    stage.chat.startTyping()
    expect(stage.transport.all('typing:start')).toHaveLength(1)
    expect(stage.transport.all('typing:stop')).toHaveLength(1)
    line.set({ quality: 'fair', loss: 0 })
    stage.chat.stopTyping()
    stage.chat.startTyping()
    expect(stage.transport.all('typing:start')).toHaveLength(2)
  })

  it('does not show oneself, from another device, as typing', async () => {
    const stage = await inRoom()
    stage.transport.userId = 'me'
    stage.transport.push('typing:start', { roomId: ROOM, userId: 'me' })
    expect(stage.view().isTyping).toBe(false)
  })
})

describe('what others see', () => {
  it('is typing only in a room', async () => {
    const stage = await inRoom()
    stage.chat.startTyping()
    stage.chat.startTyping()
    await stage.clock.advance(4_000)
    stage.transport.drop()
    stage.chat.startTyping()
    const typing = stage.transport.sent.filter(({ event }) => event.startsWith('typing'))
    expect(typing.map(({ event }) => event)).toEqual(['typing:start', 'typing:stop'])
  })

  it('is being away, also after a reconnect', async () => {
    const stage = await inRoom()
    stage.chat.setPresence('away')
    await reconnect(stage)
    stage.transport.last('room:rejoin').reply(roomAck({ recovered: true, lastSeq: 2 }))
    await settle()
    expect(stage.transport.all('presence:set')).toHaveLength(2)
  })

  it('is how far one has read, once one looks', async () => {
    const stage = await inRoom()
    stage.attention.leave()
    stage.chat.markRead('m2')
    expect(stage.transport.all('messages:read')).toEqual([])
    stage.attention.comeBack()
    expect(stage.transport.last('messages:read').payload).toEqual({ roomId: ROOM, messageId: 'm2' })
    stage.transport.last('messages:read').reply({ success: true })
    await settle()
    stage.chat.markRead('m1')
    expect(stage.transport.all('messages:read')).toHaveLength(1)
  })
})

describe('answers', () => {
  it('are stopped and asked for again', async () => {
    const stage = await inRoom()
    const stopping = stage.chat.stopStream('m2')
    expect(stage.transport.last('message:stream:stop').payload).toEqual({
      roomId: ROOM,
      messageId: 'm2',
    })
    stage.transport.last('message:stream:stop').reply({ success: true })
    expect(await stopping).toBe(true)
    const asking = stage.chat.regenerate('m2')
    stage.transport
      .last('message:regenerate')
      .reply({ success: false, code: 'not_found', error: 'no such message' })
    expect(await asking).toBe(false)
    expect(stage.view().error).toMatchObject({ code: 'not_found' })
  })
})
