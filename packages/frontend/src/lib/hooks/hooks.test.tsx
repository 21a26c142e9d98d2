import { act, cleanup, render, renderHook } from '@testing-library/react'
import { StrictMode, useEffect, useRef, useState } from 'react'
import { io } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '@/lib/client/testing/eventually'
import { Peer } from '@/lib/client/testing/peer'
import { type ChatSocket, useSocket, useSocketChat } from '@/lib/hooks'

let peer: Peer

beforeEach(async () => {
  peer = await Peer.start()
})

afterEach(async () => {
  cleanup()
  await peer.stop()
})

const clients = () => peer.io.sockets.sockets.size

function useChat(roomId: string) {
  const { socket, isConnected } = useSocket({ url: peer.url, token: 'token' })
  return useSocketChat({ socket, isConnected, roomId })
}

function Chat({ socket }: { socket: ChatSocket | null }) {
  useSocketChat({ socket, isConnected: true, roomId: 'one' })
  return null
}

/** `chats`: how many of the page's parts are about the room. */
function Page({ chats }: { chats: number }) {
  const { socket } = useSocket({ url: peer.url, token: 'token' })
  return Array.from({ length: chats }, (_, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the places are what they are
    <Chat key={place} socket={socket} />
  ))
}

/** Sends as soon as it is told that it may, which may be in the moment in which the character changes. */
function Eager({ may, send }: { may: boolean; send: (text: string) => void }) {
  const isSent = useRef(false)
  useEffect(() => {
    if (!may || isSent.current) return
    isSent.current = true
    send('at once')
  }, [may, send])
  return null
}

function EagerPage({ characterId }: { characterId?: string }) {
  const { socket, isConnected } = useSocket({ url: peer.url, token: 'token' })
  const chat = useSocketChat({ socket, isConnected, roomId: 'one', characterId })
  return (
    <>
      <p>{chat.isInRoom && 'inside'}</p>
      <Eager may={characterId !== undefined} send={(text) => void chat.sendMessage(text)} />
    </>
  )
}

/** As an application does that has its own way to a socket. */
function useOwnSocket() {
  const [socket, setSocket] = useState<ChatSocket | null>(null)
  const [isConnected, setConnected] = useState(false)
  useEffect(() => {
    const own: ChatSocket = io(peer.url, { forceNew: true, reconnectionDelay: 20 })
    own.on('connect', () => setConnected(true))
    own.on('disconnect', () => setConnected(false))
    setSocket(own)
    return () => {
      own.disconnect()
    }
  }, [])
  return useSocketChat({ socket, isConnected, roomId: 'one' })
}

describe('useSocket', () => {
  const options = () => ({ url: peer.url, token: 'token' })

  it('says how the connection stands', async () => {
    const states: string[] = []
    const { result } = renderHook(() => {
      const socket = useSocket(options())
      states.push(socket.connectionState)
      return socket
    })
    await eventually(() => expect(result.current.isConnected).toBe(true))
    expect([...new Set(states)]).toEqual(['disconnected', 'connecting', 'connected'])
    act(() => result.current.disconnect())
    expect(result.current.connectionState).toBe('disconnected')
    act(() => result.current.reconnect())
    await eventually(() => expect(result.current.isConnected).toBe(true))
  })

  it('keeps its socket and its functions over every render', async () => {
    const { result, rerender } = renderHook(() => useSocket(options()))
    const { socket, connect, disconnect, reconnect } = result.current
    await eventually(() => expect(result.current.isConnected).toBe(true))
    rerender()
    expect(result.current).toMatchObject({ socket, connect, disconnect, reconnect })
    expect(clients()).toBe(1)
  })

  it('connects only when told, where that is asked for', async () => {
    const { result } = renderHook(() => useSocket({ ...options(), autoConnect: false }))
    expect(result.current.connectionState).toBe('disconnected')
    act(() => result.current.connect())
    await eventually(() => expect(result.current.isConnected).toBe(true))
  })

  it('calls the handlers of the last render', async () => {
    const calls: string[] = []
    const { result, rerender } = renderHook(
      ({ name }) =>
        useSocket({ ...options(), onReplaced: (data) => calls.push(name + data.message) }),
      { initialProps: { name: 'first ' } },
    )
    await eventually(() => expect(result.current.isConnected).toBe(true))
    rerender({ name: 'second ' })
    peer.io.emit('connection:replaced', { message: 'elsewhere', timestamp: '' })
    await eventually(() => expect(calls).toEqual(['second elsewhere']))
    expect(result.current.connectionState).toBe('disconnected')
  })

  it('uses the token of the last render for the next attempt', async () => {
    const { result, rerender } = renderHook(
      ({ token }) => useSocket({ ...options(), token, maxReconnectionAttempts: 0 }),
      { initialProps: { token: 'old' } },
    )
    peer.accepted = new Set(['new'])
    await eventually(() => expect(result.current.connectionState).toBe('failed'))
    expect(result.current.lastError).toMatchObject({ code: 'unauthorized' })
    rerender({ token: 'new' })
    act(() => result.current.reconnect())
    await eventually(() => expect(result.current.isConnected).toBe(true))
    expect(result.current.lastError).toBeNull()
  })

  it('leaves one connection where it is mounted twice, and none when it goes', async () => {
    const { result, unmount } = renderHook(() => useSocket(options()), { wrapper: StrictMode })
    await eventually(() => expect(result.current.isConnected).toBe(true))
    expect(clients()).toBe(1)
    unmount()
    await eventually(() => expect(clients()).toBe(0))
  })
})

describe('useSocketChat', () => {
  it('is in its room by itself, and in the next one when that changes', async () => {
    const { result, rerender } = renderHook(({ roomId }) => useChat(roomId), {
      initialProps: { roomId: 'one' },
      wrapper: StrictMode,
    })
    await eventually(() => expect(result.current.isInRoom).toBe(true))
    let isSent = false
    await act(async () => {
      isSent = await result.current.sendMessage('hello')
    })
    expect(isSent).toBe(true)
    expect(result.current.messages).toMatchObject([{ content: 'hello', status: 'sent' }])
    const [socket] = peer.io.sockets.sockets.values()
    expect([...(socket?.rooms ?? [])]).toContain('one')
    rerender({ roomId: 'two' })
    await eventually(() => expect([...(socket?.rooms ?? [])]).toContain('two'))
    expect([...(socket?.rooms ?? [])]).not.toContain('one')
  })

  it('keeps its functions, and its lists while nothing changes', async () => {
    const { result, rerender } = renderHook(() => useChat('one'))
    await eventually(() => expect(result.current.isInRoom).toBe(true))
    const before = result.current
    rerender()
    for (const name of Object.keys(before) as (keyof typeof before)[])
      expect(result.current[name]).toBe(before[name])
  })

  it('shows what is written before there is a connection', async () => {
    const { result } = renderHook(() => useChat('one'))
    act(() => void result.current.sendMessage('early'))
    expect(result.current.messages).toMatchObject([{ content: 'early', status: 'pending' }])
    expect(result.current.pendingMessages).toEqual([result.current.messages[0]?.id])
    await eventually(() =>
      expect(result.current.messages).toMatchObject([{ content: 'early', status: 'sent' }]),
    )
    expect(result.current.pendingMessages).toEqual([])
  })

  it('tells why an answer failed', async () => {
    const { result } = renderHook(() => useChat('one'))
    await eventually(() => expect(result.current.isInRoom).toBe(true))
    expect(result.current.failures.size).toBe(0)
    const failure = { code: 'character_failed', error: 'It broke.' } as const
    const at = { roomId: 'one', messageId: 'a1', timestamp: '' }
    const start = { ...at, characterId: 'echo', replyTo: 'q', seq: 1 }
    peer.io.to('one').emit('message:stream:start', start)
    peer.io.to('one').emit('message:stream:error', { ...at, ...failure, content: 'so far' })
    await eventually(() => expect(result.current.failures.get('a1')).toEqual(failure))
    expect(result.current.messages).toMatchObject([{ content: 'so far', state: 'failed' }])
  })

  it('takes what a part of the page sends while the character changes', async () => {
    const { rerender, getByText } = render(<EagerPage />)
    await eventually(() => getByText('inside'))
    rerender(<EagerPage characterId="echo" />)
    await eventually(() => expect(peer.log.map(({ content }) => content)).toContain('at once'))
  })

  it('leaves its room when it goes, though the connection stays', async () => {
    const { rerender } = render(<Page chats={1} />)
    const members = () => peer.io.sockets.adapter.rooms.get('one')?.size ?? 0
    await eventually(() => expect(members()).toBe(1))
    rerender(<Page chats={0} />)
    await eventually(() => expect(members()).toBe(0))
    expect(clients()).toBe(1)
  })

  it('stays in its room when another one on the same socket goes', async () => {
    const { rerender } = render(<Page chats={2} />)
    const members = () => peer.io.sockets.adapter.rooms.get('one')?.size ?? 0
    await eventually(() => expect(peer.entries).toBe(2))
    rerender(<Page chats={1} />)
    rerender(<Page chats={2} />)
    await eventually(() => expect(peer.entries).toBe(3))
    expect(members()).toBe(1)
    rerender(<Page chats={1} />)
    rerender(<Page chats={0} />)
    await eventually(() => expect(members()).toBe(0))
    expect(peer.exits).toBe(1)
  })

  it('works on a socket that somebody else made, and that reconnects by itself', async () => {
    const { result } = renderHook(useOwnSocket)
    act(() => void result.current.sendMessage('early'))
    await eventually(() => expect(result.current.messages).toMatchObject([{ status: 'sent' }]))
    peer.cut()
    act(() => void result.current.sendMessage('meanwhile'))
    await eventually(() =>
      expect(result.current.messages.map(({ status }) => status)).toEqual(['sent', 'sent']),
    )
  })
})
