import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ChatMessage } from '../types/socket'
import {
  type ChatClient,
  type ChatSettings,
  type ChatSocket,
  createChat,
  createConnection,
  createGuest,
  createRoom,
  getServerInfo,
  listCharacters,
  listMembers,
  listRooms,
  socketTransport,
} from '.'
import { eventually } from './testing/eventually'
import { ServerProcess } from './testing/serverProcess'

let server: ServerProcess
const cleanups: (() => void)[] = []

beforeAll(async () => {
  server = await ServerProcess.start({ env: { REJOINDER_GUEST_BURST: '1000' } })
}, 30_000)

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

afterAll(async () => {
  await server.stop()
})

async function guest(name: string) {
  return createGuest(name, { url: server.url })
}

/** Somebody in a room, with a character to talk with. */
async function enter(
  roomId: string,
  token: string,
  characterId: string | null = 'echo',
  settings: Partial<ChatSettings> = {},
) {
  const { socket, connection } = createConnection({
    url: server.url,
    token,
    locale: 'ko',
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
    maxReconnectionAttempts: 100,
  })
  const chat = createChat(settings)
  const unbind = chat.bind({
    channel: socketTransport(socket),
    isConnected: true,
    roomId,
    characterId: characterId ?? undefined,
  })
  connection.connect()
  cleanups.push(() => {
    unbind()
    connection.disconnect()
  })
  await inRoom(chat)
  return { socket, connection, chat }
}

/** Some events never arrive. */
function lose(socket: ChatSocket, isLost: (name: string) => boolean): void {
  const inner = socket as unknown as { onevent: (packet: { data: [string] }) => void }
  const hear = inner.onevent.bind(socket)
  inner.onevent = (packet) => {
    if (!isLost(packet.data[0])) hear(packet)
  }
}

const inRoom = (chat: ChatClient) =>
  eventually(() => expect(chat.getSnapshot().isInRoom).toBe(true))

const shown = (chat: ChatClient) => chat.getSnapshot().messages
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`)

/** The answer, once its end has come. */
async function answered(chat: ChatClient, place = -1): Promise<ChatMessage> {
  return eventually(() => {
    const message = shown(chat).at(place)
    expect(message).toMatchObject({
      role: 'character',
      state: expect.not.stringMatching('streaming'),
    })
    if (!message) throw new Error('There is no message')
    return message
  })
}

/** While an answer is being written, with some of its text there. */
async function writing(chat: ChatClient): Promise<string> {
  return eventually(() => {
    const [running] = chat.getSnapshot().streamingMessages
    expect(running?.[1].length).toBeGreaterThan(5)
    return running?.[0] ?? ''
  })
}

/** What somebody who comes now is shown. */
async function fresh(roomId: string): Promise<ChatMessage[]> {
  const { token } = await guest('Latecomer')
  const { chat } = await enter(roomId, token)
  return shown(chat)
}

describe('against the real server', () => {
  it('sends, and shows an answer as it is written', async () => {
    const roomId = randomUUID()
    const { token, userId } = await guest('Ann')
    const { chat } = await enter(roomId, token)
    const texts = new Set<string>()
    chat.subscribe(() => {
      for (const text of chat.getSnapshot().streamingMessages.values()) texts.add(text)
    })
    expect(await chat.sendMessage('/count 20 20')).toBe(true)
    const answer = await answered(chat)
    expect(answer.content.match(/\d+/g)).toEqual(numbers(20))
    expect(texts.size).toBeGreaterThan(3)
    expect(chat.getSnapshot().streamingMessages.size).toBe(0)
    expect(shown(chat)[0]).toMatchObject({ seq: 1, senderId: userId, status: 'sent' })
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('counts code points as the server does', async () => {
    const roomId = randomUUID()
    const { chat } = await enter(roomId, (await guest('Ann')).token)
    const text = 'eins 👩‍👩‍👧 zwei 한국어 🇰🇷 drei 𝒳 vier'
    await chat.sendMessage(text)
    expect((await answered(chat)).content).toBe(text)
  })

  it('stops an answer and keeps what was written', async () => {
    const roomId = randomUUID()
    const { chat } = await enter(roomId, (await guest('Ann')).token)
    await chat.sendMessage('/count 500 20')
    expect(await chat.stopStream(await writing(chat))).toBe(true)
    const answer = await answered(chat)
    expect(answer.state).toBe('stopped')
    expect(answer.content).not.toContain('500')
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('shows what an answer was like that failed', async () => {
    const roomId = randomUUID()
    const { chat } = await enter(roomId, (await guest('Ann')).token)
    await chat.sendMessage('/fail 3')
    expect(await answered(chat)).toMatchObject({ state: 'failed' })
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('asks for another answer and keeps both', async () => {
    const roomId = randomUUID()
    const { chat } = await enter(roomId, (await guest('Ann')).token)
    await chat.sendMessage('once more')
    const first = await answered(chat)
    expect(await chat.regenerate(first.id)).toBe(true)
    await eventually(() => expect(shown(chat)).toHaveLength(3))
    const second = await answered(chat)
    expect(second).toMatchObject({ content: first.content, replyTo: first.replyTo })
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('misses nothing of an answer when the connection breaks in the middle of it', async () => {
    const roomId = randomUUID()
    const { chat, socket, connection } = await enter(roomId, (await guest('Ann')).token)
    await chat.sendMessage('/count 60 20')
    await writing(chat)
    for (let cut = 0; cut < 3; cut += 1) {
      socket.io.engine.close()
      await eventually(() => expect(connection.getSnapshot().isConnected).toBe(true))
      await inRoom(chat)
    }
    expect((await answered(chat)).content.match(/\d+/g)).toEqual(numbers(60))
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('brings an answer in line that ended while one was away', async () => {
    const roomId = randomUUID()
    const { chat, connection } = await enter(roomId, (await guest('Ann')).token)
    const witness = await enter(roomId, (await guest('Bob')).token)
    await chat.sendMessage('/count 30 20')
    await writing(chat)
    connection.disconnect()
    await answered(witness.chat)
    expect(shown(chat).at(-1)?.state).toBe('streaming')
    connection.connect()
    await inRoom(chat)
    expect((await answered(chat)).content.match(/\d+/g)).toEqual(numbers(30))
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('follows an answer from the middle of it', async () => {
    const roomId = randomUUID()
    const ann = await enter(roomId, (await guest('Ann')).token)
    await ann.chat.sendMessage('/count 60 20')
    await writing(ann.chat)
    const bob = await enter(roomId, (await guest('Bob')).token)
    expect((await answered(bob.chat)).content.match(/\d+/g)).toEqual(numbers(60))
    expect(shown(bob.chat)).toEqual(shown(ann.chat))
  })

  it('loads history page by page', async () => {
    const roomId = randomUUID()
    const { token } = await guest('Ann')
    const { chat, connection } = await enter(roomId, token)
    for (let count = 0; count < 20; count += 1) await chat.sendMessage(`/count 1 ${count}`)
    await eventually(() => expect(shown(chat)).toHaveLength(40))
    connection.disconnect()
    for (let count = 0; count < 2; count += 1) {
      const other = await enter(roomId, (await guest('Bob')).token)
      const sending = Array.from({ length: 10 }, (_, place) => other.chat.sendMessage(`${place}`))
      await Promise.all(sending)
    }
    await eventually(async () => expect((await fresh(roomId)).at(-1)?.seq).toBe(80))
    const late = await enter(roomId, (await guest('Cem')).token)
    expect(late.chat.getSnapshot().hasMore).toBe(true)
    while (await late.chat.loadMessageHistory(17));
    expect(shown(late.chat).map(({ seq }) => seq)).toEqual(numbers(80).map(Number))
    connection.connect()
    await eventually(() => expect(shown(chat)).toEqual(shown(late.chat)))
  })

  // The end brings the whole text: without a piece of it, it must not come either.
  it.each([
    ['message:stream:end'],
    ['message:stream:start', 'message:stream:end'],
    ['message:stream:chunk', 'message:stream:end'],
    ['message:new', 'message:stream:start', 'message:stream:end'],
  ])('is whole again when %s did not come', async (...lost) => {
    const roomId = randomUUID()
    const ann = await enter(roomId, (await guest('Ann')).token)
    const bob = await enter(roomId, (await guest('Bob')).token, 'echo', { checkDelay: 300 })
    let missed = 0
    lose(bob.socket, (name) => {
      if (lost.includes(name)) missed += 1
      return lost.includes(name)
    })
    ann.chat.startTyping()
    await ann.chat.sendMessage('/count 20 20')
    await answered(ann.chat)
    await eventually(() => expect(shown(bob.chat)).toEqual(shown(ann.chat)))
    expect(missed).toBeGreaterThan(0)
    expect(bob.chat.getSnapshot().streamingMessages.size).toBe(0)
  })

  it('tells who is taken over, in their language, and does not fight', async () => {
    const roomId = randomUUID()
    const { token } = await guest('Ann')
    const first = await enter(roomId, token)
    const onReplaced = vi.fn()
    first.connection.setHandlers({ onReplaced })
    const second = await enter(roomId, token)
    await eventually(() => expect(onReplaced).toHaveBeenCalledOnce())
    expect(onReplaced).toHaveBeenCalledWith({
      message: expect.stringMatching(/[가-힣]/),
      timestamp: expect.any(String),
    })
    expect(first.connection.getSnapshot().connectionState).toBe('disconnected')
    expect(second.connection.getSnapshot().connectionState).toBe('connected')
    first.connection.reconnect()
    await inRoom(first.chat)
    await eventually(() =>
      expect(second.connection.getSnapshot().connectionState).toBe('disconnected'),
    )
  })

  it('tells of a session that is restored', async () => {
    const roomId = randomUUID()
    const { socket, connection, chat } = await enter(roomId, (await guest('Ann')).token)
    const onSessionRestored = vi.fn()
    connection.setHandlers({ onSessionRestored })
    socket.io.engine.close()
    await eventually(() => expect(onSessionRestored).toHaveBeenCalledOnce())
    expect(onSessionRestored.mock.calls[0]?.[0]).toMatchObject({
      canReconnect: true,
      previousRoomId: roomId,
      previousCharacterId: 'echo',
    })
    await inRoom(chat)
  })

  it('shows others: who is there, who types, and how far they have read', async () => {
    const roomId = randomUUID()
    const ann = await guest('Ann')
    const bob = await guest('Bob')
    const one = await enter(roomId, ann.token, null)
    const two = await enter(roomId, bob.token, null)
    const members = () => one.chat.getSnapshot().members.map(({ userId }) => userId)
    await eventually(() => expect(members()).toEqual([ann.userId, bob.userId]))
    two.chat.startTyping()
    await eventually(() => expect(one.chat.getSnapshot().typingUsers).toEqual([bob.userId]))
    await one.chat.sendMessage('read this')
    const { id } = await eventually(() => {
      const message = shown(two.chat).at(-1)
      if (!message) throw new Error('There is no message')
      return message
    })
    two.chat.markRead(id)
    await eventually(() =>
      expect(one.chat.getSnapshot().readMarkers).toMatchObject([
        { userId: bob.userId, messageId: id },
      ]),
    )
    await two.chat.leaveRoom()
    await eventually(() => expect(members()).toEqual([ann.userId]))
    expect(one.chat.getSnapshot().isTyping).toBe(false)
  })

  it('refuses a token that is none', async () => {
    const { connection } = createConnection({ url: server.url, token: 'none' })
    cleanups.push(connection.disconnect)
    connection.connect()
    await eventually(() => expect(connection.getSnapshot().connectionState).toBe('failed'))
    expect(connection.getSnapshot().lastError).toMatchObject({ code: 'unauthorized' })
  })

  it('sends after a crash what was written meanwhile, once and in order', async () => {
    const roomId = randomUUID()
    const { chat, connection } = await enter(roomId, (await guest('Ann')).token, null)
    expect(await chat.sendMessage('before')).toBe(true)
    await server.kill()
    await eventually(() => expect(connection.getSnapshot().isConnected).toBe(false))
    const sending = ['one', 'two', 'three'].map((text) => chat.sendMessage(text))
    await server.start()
    expect(await Promise.all(sending)).toEqual([true, true, true])
    expect(shown(chat).map(({ content, seq }) => [content, seq])).toEqual([
      ['before', 1],
      ['one', 2],
      ['two', 3],
      ['three', 4],
    ])
    expect(await fresh(roomId)).toEqual(shown(chat))
  })

  it('knows the rest of the server, too', async () => {
    const { token, userId } = await guest('Ann')
    const options = { url: server.url, token }
    expect(await getServerInfo({ url: server.url })).toMatchObject({ guests: true })
    expect((await listCharacters(options)).map(({ id }) => id)).toContain('echo')
    const room = await createRoom({ characterId: 'echo' }, options)
    const { rooms } = await listRooms(options)
    expect(rooms.map(({ roomId }) => roomId)).toEqual([room.roomId])
    const { members } = await listMembers(room.roomId, options)
    expect(members.map((member) => member.userId)).toEqual([userId])
    await expect(listRooms({ url: server.url })).rejects.toMatchObject({
      status: 401,
      code: 'unauthorized',
    })
  })
})
