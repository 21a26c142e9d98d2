import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createChat, createConnection, socketTransport } from '.'
import { eventually } from './testing/eventually'
import { Peer } from './testing/peer'

let peer: Peer
const cleanups: (() => void)[] = []

beforeEach(async () => {
  peer = await Peer.start()
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup()
  await peer.stop()
})

function open(options: Parameters<typeof createConnection>[0] = {}) {
  const { socket, connection } = createConnection({
    url: peer.url,
    token: 'token',
    reconnectionDelay: 20,
    reconnectionDelayMax: 40,
    ...options,
  })
  const chat = createChat({ ackTimeout: 500 })
  const channel = socketTransport(socket)
  const unbind = chat.bind({ channel, isConnected: true, roomId: 'room_1' })
  const states: string[] = []
  connection.subscribe(() => states.push(connection.getSnapshot().connectionState))
  connection.connect()
  cleanups.push(() => {
    unbind()
    connection.disconnect()
  })
  const inRoom = () => eventually(() => expect(chat.getSnapshot().isInRoom).toBe(true))
  /** Lost, and back: it may have been too quick to be seen in between. */
  const back = () =>
    eventually(() => {
      expect(states).toContain('reconnecting')
      expect(states.at(-1)).toBe('connected')
    })
  return { connection, chat, inRoom, back }
}

const texts = (chat: ReturnType<typeof createChat>) =>
  chat.getSnapshot().messages.map(({ content, status }) => `${content} ${status}`)

describe('with npm’s socket.io as the other side', () => {
  it('joins, sends and is answered', async () => {
    const { chat, inRoom } = open()
    await inRoom()
    expect(await Promise.all(['a', 'b', 'c'].map((text) => chat.sendMessage(text)))).toEqual([
      true,
      true,
      true,
    ])
    expect(texts(chat)).toEqual(['a sent', 'b sent', 'c sent'])
    expect(peer.log.map(({ content }) => content)).toEqual(['a', 'b', 'c'])
  })

  it('sends again with the same id when the acknowledgement is lost', async () => {
    const { chat, inRoom } = open()
    await inRoom()
    peer.swallowedAcks = 2
    expect(await chat.sendMessage('a')).toBe(true)
    expect(peer.received.get('a')).toBe(3)
    expect(texts(chat)).toEqual(['a sent'])
    peer.swallowedAcks = 3
    expect(await chat.sendMessage('b')).toBe(false)
    expect(texts(chat)).toEqual(['a sent', 'b failed'])
  })

  it('comes back by itself with nothing missing and sends what waited', async () => {
    const one = open()
    const two = open()
    await Promise.all([one.inRoom(), two.inRoom()])
    expect(await one.chat.sendMessage('before')).toBe(true)
    peer.cut()
    const waiting = [one.chat.sendMessage('meanwhile'), one.chat.sendMessage('and more')]
    expect(await Promise.all(waiting)).toEqual([true, true])
    await Promise.all([one.back(), two.back()])
    const whole = ['before sent', 'meanwhile sent', 'and more sent']
    await eventually(() => expect(texts(two.chat)).toEqual(whole))
    expect(texts(one.chat)).toEqual(whole)
    expect(peer.log.map(({ content }) => content)).toEqual(['before', 'meanwhile', 'and more'])
  })

  it('reconnects after the server closed the connection', async () => {
    const { inRoom, back } = open()
    await inRoom()
    peer.io.disconnectSockets(true)
    await back()
    await inRoom()
  })

  it('stays away when another connection took over, and comes back when asked', async () => {
    const { connection, inRoom } = open()
    await inRoom()
    peer.io.emit('connection:replaced', { message: 'elsewhere', timestamp: '' })
    peer.io.disconnectSockets(true)
    await eventually(() => expect(connection.getSnapshot().connectionState).toBe('disconnected'))
    await eventually(() => expect(peer.io.sockets.sockets.size).toBe(0))
    connection.reconnect()
    await inRoom()
    expect(peer.io.sockets.sockets.size).toBe(1)
  })

  it('gives up on a server that is not there', async () => {
    const { connection } = open({ url: 'http://127.0.0.1:1', maxReconnectionAttempts: 2 })
    await eventually(() => expect(connection.getSnapshot().connectionState).toBe('failed'))
    expect(connection.getSnapshot()).toMatchObject({
      reconnectAttempts: 2,
      lastError: { code: 'network' },
    })
  })

  it('renews a token that is refused, and fails when that is refused, too', async () => {
    peer.accepted = new Set(['second'])
    const tokens = ['first', 'second', 'third', 'fourth']
    const { connection, inRoom } = open({ token: () => tokens.shift() ?? '' })
    await inRoom()
    peer.accepted.clear()
    connection.reconnect()
    await eventually(() => expect(connection.getSnapshot().connectionState).toBe('failed'))
    expect(connection.getSnapshot().lastError).toMatchObject({
      code: 'unauthorized',
      message: 'who are you?',
    })
    expect(tokens).toEqual([])
  })

  it('connects as a guest where there is no token, and as the same one again', async () => {
    const { connection, inRoom } = open({ token: undefined })
    await inRoom()
    connection.reconnect()
    await eventually(() => expect(connection.getSnapshot().isConnected).toBe(true))
    expect(peer.guests).toBe(1)
  })
})
