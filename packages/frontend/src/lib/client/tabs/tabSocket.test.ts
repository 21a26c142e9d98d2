import { describe, expect, it } from 'vitest'
import { settle } from '../testing/manualClock'
import { TestBrowser } from '../testing/tabs'
import { TabSocket } from './tabSocket'

async function twoSockets() {
  const browser = new TestBrowser()
  const one = await browser.open()
  const two = await browser.open()
  one.serve = (sent) => sent.reply({ success: true } as never)
  const socketOf = (tab: typeof one) => new TabSocket(tab.channel, tab.connection)
  return { browser, one, two, sockets: [socketOf(one), socketOf(two)] as const }
}

describe('the socket of a tab, whichever has the connection', () => {
  it('says how the connection is', async () => {
    const { one, sockets } = await twoSockets()
    for (const socket of sockets) {
      expect([socket.connected, socket.disconnected, socket.active]).toEqual([true, false, true])
      expect(socket.id).toBe(one.own.socketId)
    }
    sockets[1].disconnect()
    expect([sockets[1].connected, sockets[1].id, sockets[1].active]).toEqual([
      false,
      undefined,
      false,
    ])
    expect(sockets[0].connected).toBe(true)
  })

  it('hears events, once where it is told so, until it is told not to', async () => {
    const { one, sockets } = await twoSockets()
    const heard: unknown[] = []
    const listener = ({ reason }: { reason: string }) => heard.push(reason)
    for (const socket of sockets) {
      socket.on('room:resync', listener as never)
      socket.once('room:resync', ((): void => void heard.push('once')) as never)
      socket.onAny((event) => heard.push(event))
    }
    const say = async (reason: 'slow' | 'gap') => {
      one.own.push('room:resync', { roomId: 'r', reason: reason as 'slow' })
      await settle()
    }
    await say('slow')
    const each = ['room:resync', 'slow', 'once']
    expect(heard.splice(0)).toEqual([...each, ...each])
    for (const socket of sockets) socket.off('room:resync', listener as never).offAny()
    await say('gap')
    expect(heard).toEqual([])
    expect(sockets[1].hasListeners('room:resync')).toBe(false)
  })

  it('hears when the connection comes and goes', async () => {
    const { browser, one, sockets } = await twoSockets()
    const heard: string[] = []
    for (const event of ['connect', 'disconnect']) sockets[1].on(event, () => heard.push(event))
    one.own.drop()
    await browser.clock.advance(5_000)
    expect(heard).toEqual(['disconnect', 'connect'])
  })

  it('sends, and gets its answers', async () => {
    const { one, sockets } = await twoSockets()
    for (const socket of sockets) {
      const answer = socket.emitWithAck('typing:start', { roomId: 'r' })
      await settle()
      expect(await answer).toEqual({ success: true })
    }
    expect(one.own.all('typing:start')).toHaveLength(2)
  })

  it('keeps what is sent while there is no connection, as the library does', async () => {
    const { browser, one, sockets } = await twoSockets()
    one.own.drop()
    await settle()
    const answer = sockets[1].emitWithAck('typing:start', { roomId: 'r' })
    await browser.clock.advance(5_000)
    expect(await answer).toEqual({ success: true })
  })

  it('waits no longer than it is told to', async () => {
    const { one, sockets } = await twoSockets()
    one.serve = () => undefined
    await expect(sockets[1].timeout(1).emitWithAck('typing:start', {})).rejects.toThrow('timed out')
  })
})
