/**
 * Every rule about what several tabs do over one connection stands in this file: which rooms it is
 * in, where its user types, whether they are there. It knows no socket and no clock.
 */
import { type ConnectedStatus, TYPING_TIMEOUT_MS } from '../../types/socket'
import type { TabId } from './messages'

/** What becomes of an event: it goes to the server, as it is or changed, or is answered here. */
export type Verdict = { type: 'pass'; payload: unknown } | { type: 'settled' }

export interface Outgoing {
  event: 'room:leave' | 'typing:stop' | 'presence:set'
  payload: { roomId: string } | { status: ConnectedStatus }
}

const SETTLED: Verdict = { type: 'settled' }

export class Ledger {
  /** The tabs of each room. */
  readonly #rooms = new Map<string, Set<TabId>>()
  /** Those of them that have it in view. */
  readonly #views = new Map<string, Set<TabId>>()
  /** Who typed in each room, and when. */
  readonly #typing = new Map<string, Map<TabId, number>>()
  readonly #visible = new Map<TabId, boolean>()
  readonly #said = new Map<TabId, ConnectedStatus>()
  /** What the server was told last over this connection. */
  #presence: ConnectedStatus | undefined

  /** A tab wants to send an event. */
  take(tab: TabId, event: string, payload: unknown, now: number): Verdict {
    const roomId = roomOf(payload)
    if (event === 'presence:set') return this.#presenceSet(tab, payload)
    if (roomId === undefined) return { type: 'pass', payload }
    switch (event) {
      case 'room:join':
      case 'room:rejoin':
        return { type: 'pass', payload: this.#enters(tab, roomId, payload) }
      case 'room:leave':
        return this.#leaves(tab, roomId) ? { type: 'pass', payload } : SETTLED
      case 'typing:start':
        this.#typists(roomId).set(tab, now)
        break
      case 'typing:stop':
        this.#typing.get(roomId)?.delete(tab)
        return this.#isTyped(roomId, now) ? SETTLED : { type: 'pass', payload }
      case 'message:send':
      case 'message:send:stream':
        // The message itself ends it, for all tabs.
        this.#typing.delete(roomId)
        break
    }
    return { type: 'pass', payload }
  }

  isIn(tab: TabId, roomId: string): boolean {
    return this.#rooms.get(roomId)?.has(tab) ?? false
  }

  /** The server refused to let a tab into a room. */
  refused(tab: TabId, roomId: string): void {
    const tabs = this.#rooms.get(roomId)
    tabs?.delete(tab)
    if (tabs?.size === 0) this.#rooms.delete(roomId)
    this.#views.get(roomId)?.delete(tab)
  }

  /** What is to be said now that a tab can be seen, or not; nobody has asked it what it thinks. */
  sees(tab: TabId, isVisible: boolean): Outgoing[] {
    this.#visible.set(tab, isVisible)
    return this.#presenceChange()
  }

  /** A tab is gone: what is to be said in its place. */
  gone(tab: TabId, now: number): Outgoing[] {
    const said: Outgoing[] = []
    for (const [roomId, typists] of [...this.#typing])
      if (typists.delete(tab) && !this.#isTyped(roomId, now))
        said.push({ event: 'typing:stop', payload: { roomId } })
    for (const [roomId, tabs] of [...this.#rooms])
      if (tabs.has(tab) && this.#leaves(tab, roomId))
        said.push({ event: 'room:leave', payload: { roomId } })
    this.#visible.delete(tab)
    this.#said.delete(tab)
    return [...said, ...this.#presenceChange()]
  }

  /** The connection is gone, and with it all that the server knew; the tabs say it again. */
  forget(): void {
    this.#rooms.clear()
    this.#views.clear()
    this.#typing.clear()
    this.#said.clear()
    this.#presence = undefined
  }

  /** A room that another tab has in view is not in the background, though this tab wants no more of it. */
  #enters(tab: TabId, roomId: string, payload: unknown): unknown {
    setIn(this.#rooms, roomId).add(tab)
    const views = setIn(this.#views, roomId)
    if (!isRecord(payload) || payload['background'] !== true) {
      views.add(tab)
      return payload
    }
    views.delete(tab)
    return views.size > 0 ? { ...payload, background: false } : payload
  }

  #typists(roomId: string): Map<TabId, number> {
    const typists = this.#typing.get(roomId) ?? new Map()
    this.#typing.set(roomId, typists)
    return typists
  }

  /** Whether it was the last tab of that room. */
  #leaves(tab: TabId, roomId: string): boolean {
    this.#typing.get(roomId)?.delete(tab)
    this.#views.get(roomId)?.delete(tab)
    const tabs = this.#rooms.get(roomId)
    tabs?.delete(tab)
    if (tabs && tabs.size > 0) return false
    this.#rooms.delete(roomId)
    this.#views.delete(roomId)
    this.#typing.delete(roomId)
    return true
  }

  /** A tab that crashed while somebody typed there types no more. */
  #isTyped(roomId: string, now: number): boolean {
    const typists = this.#typing.get(roomId)
    for (const [tab, at] of typists ?? [])
      if (Math.abs(now - at) >= TYPING_TIMEOUT_MS) typists?.delete(tab)
    if (typists?.size === 0) this.#typing.delete(roomId)
    return (typists?.size ?? 0) > 0
  }

  #presenceSet(tab: TabId, payload: unknown): Verdict {
    const status = statusOf(payload)
    // What is wrong with it is the server's to say.
    if (status === undefined) return { type: 'pass', payload }
    this.#said.set(tab, status)
    const [change] = this.#presenceChange()
    return change ? { type: 'pass', payload: change.payload } : SETTLED
  }

  #presenceChange(): Outgoing[] {
    const sum = this.#sum()
    if (sum === undefined || sum === this.#presence) return []
    this.#presence = sum
    return [{ event: 'presence:set', payload: { status: sum } }]
  }

  /** There in one tab is there; one that can't be seen and says nothing has no voice. */
  #sum(): ConnectedStatus | undefined {
    if (this.#said.size === 0) return undefined
    const tabs = new Set([...this.#said.keys(), ...this.#visible.keys()])
    for (const tab of tabs) {
      const voice = this.#said.get(tab) ?? (this.#visible.get(tab) ? 'online' : undefined)
      if (voice === 'online') return 'online'
    }
    return 'away'
  }
}

function setIn(sets: Map<string, Set<TabId>>, name: string): Set<TabId> {
  const set = sets.get(name) ?? new Set()
  sets.set(name, set)
  return set
}

export function roomOf(payload: unknown): string | undefined {
  return isRecord(payload) && typeof payload['roomId'] === 'string' ? payload['roomId'] : undefined
}

function statusOf(payload: unknown): ConnectedStatus | undefined {
  const status = isRecord(payload) ? payload['status'] : undefined
  return status === 'online' || status === 'away' ? status : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
