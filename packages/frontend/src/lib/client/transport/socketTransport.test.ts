import { io } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../testing/eventually'
import { Peer } from '../testing/peer'
import { type ChatSocket, socketTransport } from './socketTransport'
import type { TransportChange } from './transport'

let peer: Peer
let socket: ChatSocket

beforeEach(async () => {
  peer = await Peer.start()
  socket = io(peer.url, { autoConnect: false, reconnection: false, forceNew: true })
})

afterEach(async () => {
  socket.disconnect()
  await peer.stop()
})

function listened() {
  const transport = socketTransport(socket)
  const changes: TransportChange[] = []
  const stop = transport.onChange((change) => changes.push(change))
  return { transport, changes, stop }
}

const types = (changes: TransportChange[]) => changes.map(({ type }) => type)

describe('a socket of socket.io-client', () => {
  it('opens and closes, again and again', async () => {
    const { transport, changes, stop } = listened()
    for (let turn = 1; turn <= 2; turn += 1) {
      transport.open({ token: 'a.eyJzdWIiOiJtZSJ9.b' })
      await eventually(() => expect(transport.isOpen).toBe(true))
      expect(transport.userId).toBe('me')
      transport.close()
      expect(types(changes)).toHaveLength(3 * turn)
    }
    const turn = ['opening', 'opened', 'closed']
    expect(types(changes)).toEqual([...turn, ...turn])
    stop()
    transport.open({ token: '' })
    await eventually(() => expect(transport.isOpen).toBe(true))
    expect(changes).toHaveLength(6)
  })

  it('keeps nothing for later that is sent while it is closed', async () => {
    const { transport } = listened()
    transport.emit('message:send', { roomId: 'room_1', content: 'lost' })
    transport.open({ token: '' })
    await eventually(() => expect(transport.isOpen).toBe(true))
    await new Promise<void>((resolve) => {
      transport.emit('message:send', { roomId: 'room_1', content: 'sent' }, () => resolve())
    })
    expect(peer.log.map(({ content }) => content)).toEqual(['sent'])
  })

  it('says why it was refused', async () => {
    peer.accepted = new Set()
    const { transport, changes } = listened()
    transport.open({ token: '' })
    await eventually(() => expect(types(changes)).toEqual(['opening', 'refused']))
    expect(changes[1]).toMatchObject({ error: { code: 'unauthorized', message: 'who are you?' } })
  })

  it('says which server it leads to, with the path there', () => {
    const at = (url: string, options = {}) =>
      socketTransport(io(url, { autoConnect: false, forceNew: true, ...options })).server
    expect(at('http://host:8000/')).toBe('http://host:8000/socket.io')
    expect(at('http://host:8000', { path: '/chat/socket.io/' })).toBe(
      'http://host:8000/chat/socket.io/',
    )
  })

  it('hears events until it is told not to', async () => {
    const { transport } = listened()
    const heard: string[] = []
    const stop = transport.on('auth:required', ({ reason }) => heard.push(reason))
    transport.open({ token: '' })
    await eventually(() => expect(transport.isOpen).toBe(true))
    peer.io.emit('auth:required', { reason: 'token_expired' })
    await eventually(() => expect(heard).toEqual(['token_expired']))
    stop()
    expect(socket.listeners('auth:required')).toEqual([])
  })
})
