import type { ConnectionParts } from '../connection/connection'
import type { ConnectionIdentity } from '../connection/status'
import { createId } from '../ids'
import { browserTurns, prefixed } from '../outbox/mailbox'
import { tabLine } from '../outbox/news'
import { type ChatSocket, standsFor } from '../transport/socketTransport'
import type { OpenTransport } from '../transport/transport'
import { TABS_PROTOCOL } from './messages'
import { browserPage } from './page'
import { SharedConnection } from './sharedConnection'
import { asChatSocket, TabSocket } from './tabSocket'

export interface SharedSocket {
  socket: ChatSocket
  connection: SharedConnection
}

/** A connection for all tabs, or `null` where the tabs of a browser cannot hear each other. */
export function openShared(
  parts: Omit<ConnectionParts, 'transport'> & { transport: OpenTransport },
  identity: ConnectionIdentity,
  own: ChatSocket,
): SharedSocket | null {
  if (typeof document === 'undefined' || typeof BroadcastChannel === 'undefined') return null
  const turns = browserTurns()
  if (!turns) return null
  const connection = new SharedConnection(
    {
      ...parts,
      id: createId(),
      page: browserPage,
      commons: (owner) => {
        const name = `rejoinder.tabs.${TABS_PROTOCOL}:${owner}`
        return { turns: prefixed(name, turns), openLine: tabLine(name) }
      },
    },
    identity,
  )
  const socket = asChatSocket(new TabSocket(connection.transport, connection, own.io))
  standsFor(socket, connection.transport)
  return { socket, connection }
}
