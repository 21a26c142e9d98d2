import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CLIENT_EVENTS, type Failure, type HistoryAck, SERVER_EVENTS } from '../types/socket'
import { deleteRoom, renameRoom } from './rest'
import { ServerProcess } from './testing/serverProcess'
import { WireClient } from './testing/wire'

// Each row of the contract's tables, with the stock socket.io-client against a real server process.

let server: ServerProcess
const heard = new Set<string>()
const said = new Set<string>()
const clients: WireClient[] = []

beforeAll(async () => {
  server = await ServerProcess.start({ env: { REJOINDER_GUEST_BURST: '1000' } })
}, 30_000)

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

afterAll(async () => {
  await server.stop()
})

async function guest(name: string, auth = {}): Promise<WireClient> {
  return kept(await WireClient.guest(server.url, name, heard, auth))
}

function kept(client: WireClient): WireClient {
  client.socket.onAnyOutgoing((name: string) => said.add(name))
  clients.push(client)
  return client
}

/** The same user once more. */
async function again(client: WireClient, auth = {}): Promise<WireClient> {
  return kept(await WireClient.connect(server.url, client, heard, auth))
}

/** Two people in a room of their own, with `echo`. */
async function pair(): Promise<{ roomId: string; ann: WireClient; bob: WireClient }> {
  const roomId = `room-${randomUUID()}`
  const ann = await guest('Ann')
  const bob = await guest('Bob')
  await ann.socket.emitWithAck('room:join', { roomId, characterId: 'echo' })
  await bob.socket.emitWithAck('room:join', { roomId, characterId: 'echo' })
  await ann.hears('user:joined')
  return { roomId, ann, bob }
}

/** Sends and has `echo` answer; the answer's end. */
async function answered(ann: WireClient, roomId: string, content: string) {
  const ack = await ann.socket.emitWithAck('message:send:stream', { roomId, content })
  expect(ack).toMatchObject({ success: true })
  const end = await ann.hears('message:stream:end')
  return { ack, end }
}

describe('rooms', () => {
  it('room:join answers with the snapshot, and the others hear user:joined', async () => {
    const roomId = `room-${randomUUID()}`
    const ann = await guest('Ann')
    const snapshot = await ann.socket.emitWithAck('room:join', { roomId, characterId: 'echo' })
    expect(snapshot).toEqual({
      success: true,
      roomId,
      characterId: 'echo',
      messages: [],
      recovered: false,
      hasMore: false,
      lastSeq: 0,
      members: [
        { userId: ann.userId, name: 'Ann', status: 'online', lastSeen: expect.any(String) },
      ],
      read: [],
      streams: [],
    })
    const bob = await guest('Bob')
    await bob.socket.emitWithAck('room:join', { roomId })
    expect(await ann.hears('user:joined')).toMatchObject({ roomId, userId: bob.userId })
  })

  it('room:leave makes the others hear user:left, and what is said then is not heard', async () => {
    const { roomId, ann, bob } = await pair()
    expect(await bob.socket.emitWithAck('room:leave', { roomId })).toEqual({ success: true })
    expect(await ann.hears('user:left')).toMatchObject({ roomId, userId: bob.userId })
    await answered(ann, roomId, 'alone')
    await bob.socket.emitWithAck('heartbeat', {})
    expect(bob.heard('message:new')).toEqual([])
    const refusal = await bob.socket.emitWithAck('message:send', { roomId, content: 'hi' })
    expect(refusal).toMatchObject({ success: false, code: 'not_in_room' })
  })

  it('room:changed and room:updated tell of the rule and the title that a room was given', async () => {
    const { roomId, ann, bob } = await pair()
    const response = await fetch(`${server.url}/api/rooms/${roomId}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${ann.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Tea', doubleTexting: 'merge' }),
    })
    expect(response.ok).toBe(true)
    const changed = { roomId, characterIds: ['echo'], doubleTexting: 'merge' }
    expect(await bob.hears('room:changed')).toEqual(changed)
    expect(await bob.hears('room:updated')).toEqual({ roomId, title: 'Tea' })
  })

  it('a room that is deleted is gone for everybody, which room:deleted tells', async () => {
    const { roomId, ann, bob } = await pair()
    const response = await fetch(`${server.url}/api/rooms/${roomId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ann.token}` },
    })
    expect(response.ok).toBe(true)
    expect(await bob.hears('room:deleted')).toMatchObject({ roomId })
    const refusal = await bob.socket.emitWithAck('room:join', { roomId })
    expect(refusal).toMatchObject({ success: false, code: 'not_found' })
  })

  it('room:rejoin catches up from a position; room:rejoined and user:reconnected are heard', async () => {
    const { roomId, ann, bob } = await pair()
    const first = await ann.socket.emitWithAck('message:send', { roomId, content: 'one' })
    bob.close()
    await ann.socket.emitWithAck('message:send', { roomId, content: 'two' })
    const back = await again(bob)
    expect(await back.hears('session:restored')).toEqual({
      previousRoomId: roomId,
      previousCharacterId: 'echo',
      disconnectedAt: expect.any(String),
      canReconnect: true,
    })
    const lastMessageId = first.messageId ?? ''
    const snapshot = await back.socket.emitWithAck('room:rejoin', { roomId, lastMessageId })
    expect(snapshot).toMatchObject({ success: true, recovered: true, lastSeq: 2 })
    expect(snapshot).toMatchObject({ messages: [{ content: 'two', seq: 2 }] })
    expect(await back.hears('room:rejoined')).toMatchObject({ roomId, recovered: true })
    expect(await ann.hears('user:reconnected')).toMatchObject({ roomId, userId: bob.userId })
  })

  it('room:rejoin of one who is there brings the room, and is no news to the others', async () => {
    const { roomId, ann, bob } = await pair()
    const first = await ann.socket.emitWithAck('message:send', { roomId, content: 'one' })
    await bob.hears('message:new')
    const lastMessageId = first.messageId ?? ''
    const snapshot = await bob.socket.emitWithAck('room:rejoin', { roomId, lastMessageId })
    expect(snapshot).toMatchObject({ success: true, recovered: true, messages: [], lastSeq: 1 })
    await ann.socket.emitWithAck('heartbeat', {})
    expect(ann.heard('user:reconnected')).toEqual([])
    expect(ann.heard('user:joined')).toEqual([])
  })

  it('auth.reconnection takes a client back without an event of its own', async () => {
    const { roomId, bob } = await pair()
    bob.close()
    const back = await again(bob, { reconnection: { roomId } })
    expect(await back.hears('room:rejoined')).toMatchObject({ roomId })
  })
})

describe('messages', () => {
  it('message:send is acknowledged and shown to the room once, however often it is sent', async () => {
    const { roomId, ann, bob } = await pair()
    const message = {
      roomId,
      messageId: randomUUID(),
      content: '안녕 👋',
      metadata: { mood: 'good' },
    }
    const ack = await ann.socket.emitWithAck('message:send', message)
    expect(ack).toEqual({
      success: true,
      messageId: message.messageId,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      seq: 1,
    })
    expect(await bob.hears('message:new')).toEqual({
      id: message.messageId,
      roomId,
      seq: 1,
      role: 'user',
      senderId: ann.userId,
      content: '안녕 👋',
      state: 'complete',
      timestamp: ack.timestamp,
      metadata: { mood: 'good' },
    })
    const repeated = await ann.socket.emitWithAck('message:send', message)
    expect(repeated).toEqual({ ...ack, duplicate: true })
    const other = await ann.socket.emitWithAck('message:send', { ...message, content: 'other' })
    expect(other).toMatchObject({ success: false, code: 'conflict' })
    await bob.socket.emitWithAck('heartbeat', {})
    expect(bob.heard('message:new')).toEqual([])
  })

  it('message:send:stream: the chunks put together are the end, and are the stored text', async () => {
    const { roomId, ann, bob } = await pair()
    const { ack, end } = await answered(ann, roomId, '가나다 👍🏽 라 마')
    const start = await bob.hears('message:stream:start')
    expect(start).toMatchObject({ roomId, characterId: 'echo', replyTo: ack.messageId, seq: 2 })
    await bob.hears('message:stream:end')
    let text = ''
    for (const [place, chunk] of bob.heard('message:stream:chunk').entries()) {
      expect(chunk).toMatchObject({ index: place, offset: [...text].length })
      text += (chunk as { delta: string }).delta
    }
    expect(text).toBe('가나다 👍🏽 라 마')
    expect(end).toMatchObject({ content: text, state: 'complete', messageId: start.messageId })
  })

  it('message:stream:stop ends it and keeps what was written', async () => {
    const { roomId, ann } = await pair()
    await ann.socket.emitWithAck('message:send:stream', { roomId, content: '/count 1000 20' })
    const { messageId } = await ann.hears('message:stream:chunk', (chunk) => chunk.index > 1)
    const ack = await ann.socket.emitWithAck('message:stream:stop', { roomId, messageId })
    expect(ack).toEqual({ success: true })
    const end = await ann.hears('message:stream:end')
    expect(end).toMatchObject({ messageId, state: 'stopped' })
    expect(end.content).toMatch(/^1 2/)
  })

  it('message:regenerate writes another answer beside the first', async () => {
    const { roomId, ann } = await pair()
    const { ack, end } = await answered(ann, roomId, 'again')
    const answer = { roomId, messageId: end.messageId }
    const second = await ann.socket.emitWithAck('message:regenerate', answer)
    expect(second).toMatchObject({ success: true })
    const other = await ann.hears('message:stream:end')
    expect(other).toMatchObject({ messageId: second.messageId, content: 'again' })
    const page = await ann.socket.emitWithAck('messages:history', { roomId })
    expect(page).toMatchObject({
      messages: [
        { id: ack.messageId },
        { id: end.messageId, replyTo: ack.messageId },
        { id: second.messageId, replyTo: ack.messageId },
      ],
    })
  })

  it('message:continue and message:edit begin branches, and message:choose leads back', async () => {
    const { roomId, ann, bob } = await pair()
    const { ack, end } = await answered(ann, roomId, 'again')
    const answer = { roomId, messageId: end.messageId }
    const second = await ann.socket.emitWithAck('message:continue', answer)
    expect(second).toMatchObject({ success: true })
    const whole = await ann.hears('message:stream:end')
    expect(whole).toMatchObject({ messageId: second.messageId })
    expect(whole.content).toMatch(/^again./)
    const edit = { roomId, messageId: ack.messageId ?? '', content: 'else' }
    const edited = await ann.socket.emitWithAck('message:edit', edit)
    expect(edited).toMatchObject({ success: true, seq: 4 })
    const row = await bob.hears('message:new', ({ id }) => id === edited.messageId)
    expect(row).toMatchObject({ parentSeq: 0, variantOf: ack.messageId, content: 'else' })
    await ann.hears('message:stream:end')
    expect(await ann.socket.emitWithAck('message:choose', answer)).toEqual({ success: true })
    const chosen = await bob.hears('message:chosen')
    expect(chosen).toMatchObject({
      ...answer,
      userId: ann.userId,
      head: 2,
      lastSeq: 5,
      revision: 1,
    })
    const snapshot = await bob.socket.emitWithAck('room:join', { roomId })
    expect(snapshot).toMatchObject({ head: 2, revision: 1 })
  })

  it('message:delete takes the text away', async () => {
    const { roomId, ann, bob } = await pair()
    const { ack, end } = await answered(ann, roomId, 'a secret')
    const question = { roomId, messageId: ack.messageId ?? '' }
    const refused = await bob.socket.emitWithAck('message:delete', question)
    expect(refused).toMatchObject({ success: false, code: 'forbidden' })
    expect(await ann.socket.emitWithAck('message:delete', question)).toEqual({ success: true })
    const deleted = await bob.hears('message:deleted')
    expect(deleted).toMatchObject({ ...question, userId: ann.userId, revision: 1 })
    const page = await bob.socket.emitWithAck('messages:history', { roomId })
    expect(page).toMatchObject({
      revision: 1,
      messages: [
        { ...{ id: ack.messageId }, content: '', deletedAt: deleted.timestamp },
        { id: end.messageId, content: '' },
      ],
    })
  })

  it('message:stream:thought tells what is thought before an answer, which is not kept', async () => {
    const { roomId, ann, bob } = await pair()
    const { end } = await answered(ann, roomId, '/think so it is')
    const thoughts = await bob.hears('message:stream:thought')
    expect(thoughts).toMatchObject({ roomId, messageId: end.messageId })
    expect('so it is'.startsWith(thoughts.delta)).toBe(true)
    expect(end.content).toBe('so it is')
  })

  it('message:stream:error tells what went wrong and what was written until then', async () => {
    const { roomId, ann } = await pair()
    await ann.socket.emitWithAck('message:send:stream', { roomId, content: '/fail 3' })
    const error = await ann.hears('message:stream:error')
    expect(error).toMatchObject({ roomId, code: 'character_failed', error: expect.any(String) })
    expect(error.content).not.toBe('')
  })

  it('messages:history gives pages both ways, to a callback or as an event', async () => {
    const { roomId, ann } = await pair()
    const ids: string[] = []
    for (const content of ['one', 'two', 'three']) {
      const ack = await ann.socket.emitWithAck('message:send', { roomId, content })
      ids.push(ack.messageId ?? '')
    }
    const newest = await ann.socket.emitWithAck('messages:history', { roomId, limit: 2 })
    expect(newest).toMatchObject({ hasMore: true, messages: [{ id: ids[1] }, { id: ids[2] }] })
    const older = { roomId, before: ids[1] ?? '' }
    expect(await ann.socket.emitWithAck('messages:history', older)).toMatchObject({
      hasMore: false,
      messages: [{ id: ids[0] }],
    })
    ann.socket.emit('messages:history', { roomId, after: ids[0] ?? '', limit: 1 })
    expect(await ann.hears('messages:history')).toMatchObject({
      roomId,
      hasMore: true,
      messages: [{ id: ids[1] }],
    })
  })

  it('messages:history has the text of an answer, exactly as far as it was sent', async () => {
    const { roomId, ann } = await pair()
    let text = ''
    ann.socket.on('message:stream:chunk', ({ delta }) => {
      text += delta
    })
    const content = '/count 1000 20'
    const question = await ann.socket.emitWithAck('message:send:stream', { roomId, content })
    const after = question.messageId ?? ''
    for (const index of [2, 4, 6]) {
      const { messageId } = await ann.hears('message:stream:chunk', (chunk) => chunk.index >= index)
      const [page, sent] = await new Promise<[HistoryAck | Failure, string]>((resolve) => {
        ann.socket.emit('messages:history', { roomId, after }, (reply) => resolve([reply, text]))
      })
      expect(page).toMatchObject({ messages: [{ id: messageId, state: 'streaming' }] })
      expect(page.success && page.messages[0]?.content).toBe(sent)
    }
  })

  it('messages:read moves a mark forward only', async () => {
    const { roomId, ann, bob } = await pair()
    const first = await ann.socket.emitWithAck('message:send', { roomId, content: 'one' })
    const second = await ann.socket.emitWithAck('message:send', { roomId, content: 'two' })
    for (const messageId of [second.messageId ?? '', first.messageId ?? '']) {
      const ack = await bob.socket.emitWithAck('messages:read', { roomId, messageId })
      expect(ack).toEqual({ success: true })
    }
    expect(await ann.hears('messages:read')).toMatchObject({
      roomId,
      userId: bob.userId,
      messageId: second.messageId,
      seq: 2,
    })
    await ann.socket.emitWithAck('heartbeat', {})
    expect(ann.heard('messages:read')).toEqual([])
  })
})

describe('people', () => {
  it('typing:start and typing:stop are heard by the others', async () => {
    const { roomId, ann, bob } = await pair()
    await ann.socket.emitWithAck('typing:start', { roomId })
    expect(await bob.hears('typing:start')).toEqual({ roomId, userId: ann.userId })
    await ann.socket.emitWithAck('typing:stop', { roomId })
    expect(await bob.hears('typing:stop')).toEqual({ roomId, userId: ann.userId })
    expect(ann.heard('typing:start')).toEqual([])
  })

  it('presence:set is heard as presence:changed', async () => {
    const { ann, bob } = await pair()
    expect(await ann.socket.emitWithAck('presence:set', { status: 'away' })).toEqual({
      success: true,
    })
    expect(await bob.hears('presence:changed')).toEqual({
      userId: ann.userId,
      status: 'away',
      lastSeen: expect.any(String),
    })
  })

  it('heartbeat is answered by its callback and by heartbeat:ack', async () => {
    const ann = await guest('Ann')
    const ack = await ann.socket.emitWithAck('heartbeat', { timestamp: 42, rtt: 7.5 })
    expect(ack).toEqual({ success: true, timestamp: 42, serverTime: expect.any(String) })
    expect(await ann.hears('heartbeat:ack')).toEqual({
      timestamp: 42,
      serverTime: expect.any(String),
    })
  })
})

describe('a room as a whole', () => {
  it('a title is told to the room, and a deletion to all who are in it', async () => {
    const { ann, bob, roomId } = await pair()
    const options = { url: server.url, token: ann.token }
    expect(await renameRoom(roomId, ' 우리 방 ', options)).toBe('우리 방')
    expect(await bob.hears('room:updated')).toEqual({ roomId, title: '우리 방' })
    await deleteRoom(roomId, options)
    expect(await bob.hears('room:deleted')).toEqual({ roomId, timestamp: expect.any(String) })
    expect(await bob.socket.emitWithAck('room:join', { roomId })).toMatchObject({
      code: 'not_found',
    })
  })
})

describe('connections', () => {
  it('a newer connection of the same user replaces the older one, which is closed', async () => {
    const ann = await guest('Ann', { locale: 'ko' })
    const closed = new Promise<string>((resolve) => ann.socket.once('disconnect', resolve))
    await again(ann)
    expect(await ann.hears('connection:replaced')).toEqual({
      message: expect.stringContaining('다른 기기'),
      timestamp: expect.any(String),
    })
    expect(await closed).toBe('io server disconnect')
  })

  it('a connection without a valid token is refused with a code', async () => {
    const nobody = { userId: 'nobody', token: 'not.a.token' }
    await expect(WireClient.connect(server.url, nobody, heard)).rejects.toMatchObject({
      data: { code: 'unauthorized' },
    })
  })

  it('an unknown event and a wrong payload are refused, and the connection lives on', async () => {
    const ann = await guest('Ann')
    const untyped = ann.socket as unknown as {
      emitWithAck(name: string, payload: unknown): Promise<Failure>
    }
    expect(await untyped.emitWithAck('no:such', {})).toMatchObject({ code: 'not_found' })
    for (const payload of [null, [], 'text', { roomId: 1 }, { roomId: 'a', more: 1 }]) {
      const refusal = await untyped.emitWithAck('room:join', payload)
      expect(refusal).toMatchObject({ success: false, code: 'invalid_payload' })
    }
    expect(await ann.socket.emitWithAck('heartbeat', {})).toMatchObject({ success: true })
  })
})

describe('the tables', () => {
  // An expired token, a hole, a model that thinks and several characters need a server of their own;
  // Python's tests have them.
  const elsewhere = new Set([
    'auth:required',
    'room:resync',
    'message:stream:thought',
    'room:changed',
  ])

  it('were gone through whole', () => {
    expect(CLIENT_EVENTS.filter((name) => !said.has(name))).toEqual([])
    expect(SERVER_EVENTS.filter((name) => !heard.has(name) && !elsewhere.has(name))).toEqual([])
  })
})
