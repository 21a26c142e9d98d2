import { createId } from '../ids'
import { type Readable, Store } from '../store'
import { type Clock, systemClock } from '../time/clock'
import type { Channel } from '../transport/transport'
import { OutboxDatabase } from './database'
import { localLine, type OpenLine, tabLine } from './news'
import { memoryOutboxStore, type OutboxStore } from './store'
import { SturdyStore } from './sturdy'
import { leaseTurns } from './turns/lease'
import { localTurns, type Turns } from './turns/turns'
import { lockTurns } from './turns/webLocks'

/** What one user has written at one server and is not sent yet, for all who show or send it. */
export interface Mailbox {
  store: OutboxStore
  turns: Turns
  openLine: OpenLine
  /** Whether others may change what is kept. */
  isShared: boolean
  /** Whether it outlives the page. */
  isKept: Readable<boolean>
}

/** The mailbox of a user; `owner` tells users and servers apart. */
export type Mailboxes = (channel: Channel, owner: string) => Mailbox

/** For one alone, on a store that somebody hands in. */
export function ownMailbox(store: OutboxStore): Mailbox {
  return {
    store,
    turns: localTurns(),
    openLine: localLine(),
    isShared: false,
    isKept: new Store(false),
  }
}

/** Who writes where, or `null` while that is not known: then nothing can be kept for them. */
export function ownerOf(channel: Channel, userId: string | undefined): string | null {
  return userId === undefined ? null : JSON.stringify([channel.server ?? '', userId])
}

let database: OutboxDatabase | null = null

/** Shared by the chats of a channel, and where there is a database by all tabs of the browser. */
export const browserMailboxes: Mailboxes = byChannel((owner) => {
  if (typeof indexedDB === 'undefined') return pageMailbox()
  database ??= new OutboxDatabase()
  return tabMailbox(owner, database, systemClock)
})

/** The rooms in which messages of that user wait to be sent, as far as this browser knows. */
export async function unsentRooms(channel: Channel, userId: string): Promise<string[]> {
  const owner = ownerOf(channel, userId)
  return owner === null ? [] : ((await browserMailboxes(channel, owner).store.rooms?.()) ?? [])
}

function byChannel(create: (owner: string) => Mailbox): Mailboxes {
  const all = new WeakMap<Channel, Map<string, Mailbox>>()
  return (channel, owner) => {
    const known = all.get(channel) ?? new Map<string, Mailbox>()
    all.set(channel, known)
    const mailbox = known.get(owner) ?? create(owner)
    known.set(owner, mailbox)
    return mailbox
  }
}

function pageMailbox(): Mailbox {
  return { ...ownMailbox(memoryOutboxStore()), isShared: true }
}

export function tabMailbox(owner: string, kept: OutboxDatabase, clock: Clock): Mailbox {
  const store = new SturdyStore(kept.messagesOf(owner), clock)
  const name = `rejoinder.outbox.1:${owner}`
  return {
    store,
    turns: prefixed(name, turnsOfTabs(kept, clock)),
    openLine: tabLine(name),
    isShared: true,
    isKept: store.isKept,
  }
}

/** Pages over plain HTTP have no locks; there it is a lease in the database. */
function turnsOfTabs(kept: OutboxDatabase, clock: Clock): Turns {
  return navigator.locks
    ? lockTurns(navigator.locks)
    : leaseTurns({ table: kept.leases, clock, createId })
}

/** Among all tabs of the browser, or `null` where nothing tells them of each other. */
export function browserTurns(): Turns | null {
  if (typeof indexedDB === 'undefined') return navigator.locks ? lockTurns(navigator.locks) : null
  database ??= new OutboxDatabase()
  return turnsOfTabs(database, systemClock)
}

export function prefixed(prefix: string, turns: Turns): Turns {
  return {
    take: (name, handlers) => turns.take(`${prefix}:${name}`, handlers),
    isFree: (name) => turns.isFree(`${prefix}:${name}`),
  }
}
