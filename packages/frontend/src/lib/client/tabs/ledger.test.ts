import { describe, expect, it } from 'vitest'
import { Ledger, type Verdict } from './ledger'

const ROOM = { roomId: 'r' }
const pass = (payload: unknown): Verdict => ({ type: 'pass', payload })
const settled: Verdict = { type: 'settled' }

describe('rooms', () => {
  it('are left by the last tab that shows them', () => {
    const ledger = new Ledger()
    for (const tab of ['a', 'b']) expect(ledger.take(tab, 'room:join', ROOM, 0)).toEqual(pass(ROOM))
    expect(ledger.take('a', 'room:leave', ROOM, 0)).toEqual(settled)
    expect(ledger.take('b', 'room:leave', ROOM, 0)).toEqual(pass(ROOM))
  })

  it('are left for a tab that is gone, where no other shows them', () => {
    const ledger = new Ledger()
    ledger.take('a', 'room:join', ROOM, 0)
    ledger.take('b', 'room:rejoin', ROOM, 0)
    ledger.take('a', 'room:join', { roomId: 'other' }, 0)
    expect(ledger.gone('a', 0)).toEqual([{ event: 'room:leave', payload: { roomId: 'other' } }])
    expect(ledger.gone('b', 0)).toEqual([{ event: 'room:leave', payload: ROOM }])
    expect(ledger.gone('b', 0)).toEqual([])
  })

  it('that one was not let into are not held', () => {
    const ledger = new Ledger()
    ledger.take('a', 'room:join', ROOM, 0)
    ledger.take('b', 'room:join', ROOM, 0)
    ledger.refused('b', 'r')
    expect(ledger.take('a', 'room:leave', ROOM, 0)).toEqual(pass(ROOM))
  })

  it('that one tab has in view are in the background for none', () => {
    const ledger = new Ledger()
    const background = { ...ROOM, background: true }
    expect(ledger.take('a', 'room:join', background, 0)).toEqual(pass(background))
    expect(ledger.take('b', 'room:join', ROOM, 0)).toEqual(pass(ROOM))
    const inView = { ...ROOM, background: false }
    expect(ledger.take('a', 'room:rejoin', background, 0)).toEqual(pass(inView))
    expect(ledger.take('b', 'room:rejoin', background, 0)).toEqual(pass(background))
  })

  it('are forgotten with the connection', () => {
    const ledger = new Ledger()
    ledger.take('a', 'room:join', ROOM, 0)
    ledger.forget()
    expect(ledger.gone('a', 0)).toEqual([])
  })
})

describe('typing', () => {
  it('ends when it ends in the last tab', () => {
    const ledger = new Ledger()
    for (const tab of ['a', 'b'])
      expect(ledger.take(tab, 'typing:start', ROOM, 0)).toEqual(pass(ROOM))
    expect(ledger.take('a', 'typing:stop', ROOM, 1_000)).toEqual(settled)
    expect(ledger.take('b', 'typing:stop', ROOM, 1_000)).toEqual(pass(ROOM))
  })

  it('that no tab has told of for long is over', () => {
    const ledger = new Ledger()
    ledger.take('a', 'typing:start', ROOM, 0)
    ledger.take('b', 'typing:start', ROOM, 5_000)
    expect(ledger.take('b', 'typing:stop', ROOM, 6_000)).toEqual(pass(ROOM))
  })

  it('is ended by a message, for all tabs', () => {
    const ledger = new Ledger()
    ledger.take('a', 'typing:start', ROOM, 0)
    ledger.take('b', 'typing:start', ROOM, 0)
    ledger.take('a', 'message:send', ROOM, 0)
    expect(ledger.take('b', 'typing:stop', ROOM, 0)).toEqual(pass(ROOM))
  })

  it('is ended for a tab that is gone', () => {
    const ledger = new Ledger()
    ledger.take('a', 'typing:start', ROOM, 0)
    ledger.take('b', 'typing:start', ROOM, 0)
    expect(ledger.gone('a', 0)).toEqual([])
    expect(ledger.gone('b', 0)).toEqual([{ event: 'typing:stop', payload: ROOM }])
  })
})

describe('presence', () => {
  const away = { status: 'away' }
  const online = { status: 'online' }

  it('is away when all tabs are', () => {
    const ledger = new Ledger()
    expect(ledger.take('a', 'presence:set', online, 0)).toEqual(pass(online))
    expect(ledger.take('b', 'presence:set', online, 0)).toEqual(settled)
    expect(ledger.take('a', 'presence:set', away, 0)).toEqual(settled)
    expect(ledger.take('b', 'presence:set', away, 0)).toEqual(pass(away))
    expect(ledger.take('b', 'presence:set', away, 0)).toEqual(settled)
    expect(ledger.take('a', 'presence:set', online, 0)).toEqual(pass(online))
  })

  it('is online where a tab can be seen that has not said anything', () => {
    const ledger = new Ledger()
    ledger.sees('b', true)
    expect(ledger.take('a', 'presence:set', away, 0)).toEqual(pass(online))
    expect(ledger.sees('b', false)).toEqual([{ event: 'presence:set', payload: away }])
    expect(ledger.sees('c', true)).toEqual([{ event: 'presence:set', payload: online }])
    expect(ledger.gone('c', 0)).toEqual([{ event: 'presence:set', payload: away }])
  })

  it('is said anew over a new connection', () => {
    const ledger = new Ledger()
    ledger.take('a', 'presence:set', away, 0)
    ledger.forget()
    expect(ledger.take('a', 'presence:set', away, 0)).toEqual(pass(away))
  })

  it('is passed on as it is where it makes no sense', () => {
    expect(new Ledger().take('a', 'presence:set', { status: 7 }, 0)).toEqual(pass({ status: 7 }))
  })
})

it.each(['messages:history', 'an:event:of:tomorrow'])('%s is passed on', (event) => {
  for (const payload of [ROOM, {}, null, 'text'])
    expect(new Ledger().take('a', event, payload, 0)).toEqual(pass(payload))
})
