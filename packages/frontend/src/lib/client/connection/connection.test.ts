import { describe, expect, it, vi } from 'vitest'
import { ConnectionError } from '../errors'
import { RestError } from '../rest'
import { ManualClock, settle } from '../testing/manualClock'
import { MemoryTransport } from '../testing/memoryTransport'
import { Connection } from './connection'
import { type ConnectionSettings, defaultConnectionSettings } from './settings'
import type { TokenSource } from './tokens'

function stage(settings: Partial<ConnectionSettings> = {}, chance = 0) {
  const transport = new MemoryTransport()
  const clock = new ManualClock()
  const wakers = new Set<() => void>()
  const tokens = vi.fn<TokenSource>((fresh) => Promise.resolve(fresh ? 'fresh' : 'token'))
  const connection = new Connection(
    {
      transport,
      clock,
      random: () => chance,
      wake: (listener) => {
        wakers.add(listener)
        return () => wakers.delete(listener)
      },
      settings: { ...defaultConnectionSettings, ...settings },
    },
    { tokens, locale: 'ko' },
  )
  return {
    transport,
    clock,
    tokens,
    connection,
    wakers,
    state: () => connection.getSnapshot().connectionState,
    connect: async () => {
      connection.connect()
      await settle()
      transport.accept()
    },
    wake: async () => {
      for (const waker of [...wakers]) waker()
      await settle()
    },
  }
}

const unauthorized = new ConnectionError('unauthorized', 'who are you?')
const unreachable = new ConnectionError('network', 'nobody there')

describe('connecting', () => {
  it('opens with a token and the language', async () => {
    const { connection, transport, state } = stage()
    expect(state()).toBe('disconnected')
    connection.connect()
    expect(state()).toBe('connecting')
    await settle()
    expect(transport.attempts).toEqual([{ token: 'token', locale: 'ko' }])
    transport.accept()
    expect(connection.getSnapshot()).toEqual({
      connectionState: 'connected',
      isConnected: true,
      reconnectAttempts: 0,
      lastError: null,
    })
  })

  it('opens once where it is asked, called off and asked again in one go', async () => {
    const { connection, transport } = stage()
    connection.connect()
    connection.disconnect()
    connection.connect()
    await settle()
    expect(transport.attempts).toHaveLength(1)
  })

  it('leaves nothing behind when it is called off', async () => {
    const { connection, transport, clock, connect, wakers } = stage()
    await connect()
    connection.disconnect()
    expect(transport.isOpen).toBe(false)
    expect([transport.listening, clock.planned, wakers.size]).toEqual([0, 0, 0])
  })

  it('gives up an attempt that takes too long', async () => {
    const { connection, transport, clock, state } = stage()
    connection.connect()
    await clock.advance(10_000)
    expect(state()).toBe('reconnecting')
    expect(connection.getSnapshot().lastError).toMatchObject({ code: 'timeout' })
    await clock.advance(1_000)
    expect(transport.attempts).toHaveLength(2)
  })

  it('keeps the same snapshot while nothing that shows has changed', async () => {
    const { connection, clock, connect } = stage()
    await connect()
    const before = connection.getSnapshot()
    await clock.advance(20_000)
    expect(connection.getSnapshot()).toBe(before)
  })
})

describe('reconnecting', () => {
  it('waits 1 s to 5 s, ten times, and then fails', async () => {
    const { connection, transport, clock, connect } = stage({}, 1)
    await connect()
    await clock.advance(10_000)
    transport.drop()
    const waits: number[] = []
    while (connection.getSnapshot().connectionState === 'reconnecting') {
      const start = clock.now()
      const attempts = transport.attempts.length
      while (transport.attempts.length === attempts) await clock.advance(100)
      waits.push(clock.now() - start)
      expect(connection.getSnapshot().reconnectAttempts).toBe(waits.length)
      transport.refuse(unreachable)
      await settle()
    }
    expect(waits).toEqual([2_000, 4_000, ...new Array<number>(8).fill(5_000)])
    expect(connection.getSnapshot()).toMatchObject({
      connectionState: 'failed',
      reconnectAttempts: 10,
      lastError: unreachable,
    })
    await clock.advance(3_600_000)
    expect(transport.attempts).toHaveLength(11)
    connection.reconnect()
    await settle()
    expect(transport.attempts).toHaveLength(12)
  })

  it('does not wait when the network, the page or the tab comes back', async () => {
    const { transport, connect, wake, state } = stage()
    await connect()
    transport.drop()
    expect(state()).toBe('reconnecting')
    await wake()
    expect(transport.attempts).toHaveLength(2)
    transport.accept()
    expect(state()).toBe('connected')
  })

  it('begins an attempt anew that hangs since before, and leaves one of now alone', async () => {
    const { connection, transport, clock, wake, state } = stage()
    connection.connect()
    await clock.advance(1_999)
    await wake()
    expect(transport.attempts).toHaveLength(1)
    await clock.advance(1)
    await wake()
    expect(transport.attempts).toHaveLength(2)
    transport.refuse(unreachable)
    await clock.advance(1_000)
    expect(connection.getSnapshot().reconnectAttempts).toBe(1)
    for (let count = 0; count < 20; count += 1) {
      await clock.advance(2_000)
      await wake()
    }
    expect(transport.attempts).toHaveLength(23)
    expect([state(), connection.getSnapshot().reconnectAttempts]).toEqual(['reconnecting', 1])
    transport.accept()
    expect(state()).toBe('connected')
  })

  it('reconnects after the server closed the connection without a word', async () => {
    const { transport, clock, connect, state } = stage()
    await connect()
    transport.drop()
    await clock.advance(1_000)
    transport.accept()
    expect(state()).toBe('connected')
  })

  it('makes a new connection when asked, though there is one', async () => {
    const { connection, transport, connect, state } = stage()
    await connect()
    connection.reconnect()
    expect(state()).toBe('reconnecting')
    expect(transport.isOpen).toBe(false)
    await settle()
    transport.accept()
    expect(state()).toBe('connected')
  })
})

describe('being replaced', () => {
  it('tells, and does not come back until asked', async () => {
    const { connection, transport, clock, connect, wake, state } = stage()
    const onReplaced = vi.fn()
    connection.setHandlers({ onReplaced })
    await connect()
    const data = { message: 'elsewhere', timestamp: 'now' }
    transport.push('connection:replaced', data)
    expect(onReplaced).toHaveBeenCalledExactlyOnceWith(data)
    await wake()
    await clock.advance(600_000)
    expect(state()).toBe('disconnected')
    expect(transport.attempts).toHaveLength(1)
    connection.reconnect()
    await settle()
    transport.accept()
    expect(state()).toBe('connected')
  })
})

describe('tokens', () => {
  it('are renewed once when the server refuses them', async () => {
    const { connection, transport, tokens, state } = stage()
    connection.connect()
    await settle()
    transport.refuse(unauthorized)
    await settle()
    expect(tokens.mock.calls).toEqual([[false], [true]])
    expect(transport.attempts.at(-1)).toMatchObject({ token: 'fresh' })
    transport.refuse(unauthorized)
    await settle()
    expect(state()).toBe('failed')
    expect(connection.getSnapshot().lastError).toBe(unauthorized)
    expect(transport.attempts).toHaveLength(2)
  })

  it('are renewed when they run out', async () => {
    const { connection, transport, connect, state } = stage()
    const onAuthRequired = vi.fn()
    connection.setHandlers({ onAuthRequired })
    await connect()
    transport.push('auth:required', { reason: 'token_expired' })
    expect(onAuthRequired).toHaveBeenCalledExactlyOnceWith({ reason: 'token_expired' })
    await settle()
    expect(transport.attempts.at(-1)).toMatchObject({ token: 'fresh' })
    transport.accept()
    expect(state()).toBe('connected')
  })

  it('that cannot be had now are asked for again later', async () => {
    const { connection, tokens, transport, clock, state } = stage()
    tokens.mockRejectedValueOnce(new TypeError('no network'))
    connection.connect()
    await settle()
    expect(state()).toBe('reconnecting')
    expect(connection.getSnapshot().lastError).toMatchObject({ message: 'no network' })
    await clock.advance(1_000)
    expect(transport.attempts).toHaveLength(1)
  })

  it('that the server will not give are not asked for again', async () => {
    const { connection, tokens, transport, clock, state } = stage()
    tokens.mockRejectedValueOnce(new RestError(403, { error: 'no guests', code: 'forbidden' }))
    connection.connect()
    await clock.advance(60_000)
    expect(state()).toBe('failed')
    expect(connection.getSnapshot().lastError).toMatchObject({ code: 'forbidden' })
    expect(transport.attempts).toEqual([])
  })

  it('that come too late open nothing', async () => {
    const { connection, tokens, transport } = stage()
    let give: (token: string) => void = () => undefined
    tokens.mockReturnValueOnce(
      new Promise((resolve) => {
        give = resolve
      }),
    )
    connection.connect()
    connection.disconnect()
    give('late')
    await settle()
    expect(transport.attempts).toEqual([])
  })
})

describe('the heartbeat', () => {
  it('beats every 30 s with the last round trip', async () => {
    const { transport, clock, connect } = stage()
    await connect()
    await clock.advance(29_999)
    expect(transport.all('heartbeat')).toEqual([])
    await clock.advance(1)
    const first = transport.last('heartbeat')
    expect(first.payload).toEqual({ timestamp: clock.now() })
    await clock.advance(42)
    first.reply({ success: true, timestamp: 0, serverTime: '' })
    await clock.advance(30_000 - 42)
    expect(transport.last('heartbeat').payload).toEqual({ timestamp: clock.now(), rtt: 42 })
    transport.drop()
    await clock.advance(0)
    expect(transport.all('heartbeat')).toHaveLength(2)
  })

  it('asks at once when the tab comes back, and trusts no silence', async () => {
    const { transport, clock, connect, wake, state } = stage()
    await connect()
    await wake()
    transport.last('heartbeat').reply({ success: true, timestamp: 0, serverTime: '' })
    await clock.advance(5_000)
    expect(state()).toBe('connected')
    await wake()
    await clock.advance(5_000)
    expect(state()).toBe('reconnecting')
  })
})

describe('how good the line is', () => {
  const answer = { success: true, timestamp: 0, serverTime: '' } as const

  /** Heartbeats are answered after so long. */
  function served(settings: Partial<ConnectionSettings> = {}) {
    const all = stage(settings)
    const server = { delay: 50 }
    all.transport.onSent = (sent) => {
      if (sent.event === 'heartbeat') all.clock.after(server.delay, () => sent.reply(answer))
    }
    return { ...all, server, beats: () => all.transport.all('heartbeat').length }
  }

  it('is measured by the heartbeats, and more often while it is in doubt', async () => {
    const { clock, connect, connection, server, beats } = served()
    await connect()
    await clock.advance(60_100)
    expect(beats()).toBe(2)
    expect(connection.quality.getSnapshot()).toMatchObject({ quality: 'good', rtt: 50 })
    server.delay = 1_500
    await clock.advance(30_000)
    expect(beats()).toBe(3)
    await clock.advance(13_000)
    expect(beats()).toBe(5)
    expect(connection.quality.getSnapshot().quality).toBe('poor')
    server.delay = 50
    await clock.advance(120_000)
    expect(connection.quality.getSnapshot().quality).toBe('good')
    const before = beats()
    await clock.advance(60_000)
    expect(beats() - before).toBe(2)
  })

  it('counts an answer that does not come as lost, and tells the server', async () => {
    const { clock, connect, connection, server, state, transport } = served()
    await connect()
    server.delay = 60_000
    await clock.advance(35_000)
    expect(connection.quality.getSnapshot()).toMatchObject({ quality: 'fair', loss: 1 })
    // The look that was had because of it is not answered either.
    await clock.advance(5_000)
    expect([state(), connection.quality.getSnapshot().quality]).toEqual(['reconnecting', 'poor'])
    await clock.advance(1_000)
    transport.accept()
    await clock.advance(5_000)
    expect(transport.last('heartbeat').payload).toMatchObject({ rtt: 5_000 })
  })

  it('takes what the transport measures by itself', async () => {
    const { connect, connection, transport } = served()
    await connect()
    for (let trip = 0; trip < 3; trip += 1) transport.measure(1_200)
    expect(connection.quality.getSnapshot()).toMatchObject({ quality: 'poor', rtt: 1_200 })
  })

  it('is not measured where nobody can see the page', async () => {
    const transport = new MemoryTransport()
    const clock = new ManualClock()
    let isSeen = false
    const connection = new Connection(
      {
        transport,
        clock,
        random: () => 0,
        wake: () => () => undefined,
        settings: defaultConnectionSettings,
        isSeen: () => isSeen,
      },
      { tokens: () => Promise.resolve('token') },
    )
    connection.connect()
    await settle()
    transport.accept()
    await clock.advance(600_000)
    for (let trip = 0; trip < 3; trip += 1) transport.measure(1_200)
    expect([transport.sent, connection.quality.getSnapshot().quality]).toEqual([[], 'good'])
    isSeen = true
    await clock.advance(30_000)
    expect(transport.all('heartbeat')).toHaveLength(1)
  })
})

describe('a suspicion, because something was not answered', () => {
  it('is looked into once, and the connection given up only if it is dead', async () => {
    const { transport, clock, connect, state } = stage()
    await connect()
    transport.suspect()
    transport.suspect()
    expect(transport.all('heartbeat')).toHaveLength(1)
    transport.last('heartbeat').reply({ success: true, timestamp: 0, serverTime: '' })
    await clock.advance(5_000)
    expect(state()).toBe('connected')
    transport.suspect()
    await clock.advance(4_999)
    expect(state()).toBe('connected')
    await clock.advance(1)
    expect(state()).toBe('reconnecting')
  })

  it('leads to nothing where there is no connection', async () => {
    const { transport, connect, state } = stage()
    await connect()
    transport.push('connection:replaced', { message: '', timestamp: '' })
    transport.suspect()
    await settle()
    expect([state(), transport.all('heartbeat').length]).toEqual(['disconnected', 0])
  })
})

describe('a session that is restored', () => {
  it('is told', async () => {
    const { connection, transport, connect } = stage()
    const onSessionRestored = vi.fn()
    connection.setHandlers({ onSessionRestored })
    await connect()
    const data = { disconnectedAt: 'then', canReconnect: true, previousRoomId: 'room_1' }
    transport.push('session:restored', data)
    expect(onSessionRestored).toHaveBeenCalledExactlyOnceWith(data)
  })
})
