import { useEffect, useState, useSyncExternalStore } from 'react'
import {
  type ChatSocket,
  type ConnectionError,
  type ConnectionHandlers,
  type ConnectionOptions,
  createConnection,
  identityOf,
} from '../client'
import type { ConnectionState } from '../types/socket'

/** `url`, `path` and the times hold from the first render on; the rest may change. */
export interface UseSocketOptions extends ConnectionOptions, ConnectionHandlers {
  /** Whether to connect at once; by default it is. */
  autoConnect?: boolean | undefined
}

export interface UseSocketReturn {
  socket: ChatSocket | null
  isConnected: boolean
  connectionState: ConnectionState
  /** Attempts since the connection was lost. */
  reconnectAttempts: number
  /** Why there is no connection. */
  lastError: ConnectionError | null
  connect: () => void
  disconnect: () => void
  /** A new connection, whatever the present one is like. */
  reconnect: () => void
}

/** One connection for as long as the component lives. */
export function useSocket(options: UseSocketOptions = {}): UseSocketReturn {
  const [{ socket, connection }] = useState(() => createConnection(options))
  const status = useSyncExternalStore(
    connection.subscribe,
    connection.getSnapshot,
    connection.getSnapshot,
  )
  const { url, token, guestName, locale, autoConnect = true } = options

  useEffect(() => {
    connection.setHandlers(options)
  })
  useEffect(() => {
    connection.setIdentity(identityOf({ url, token, guestName, locale }))
  }, [connection, url, token, guestName, locale])
  useEffect(() => {
    if (autoConnect) connection.connect()
    return connection.disconnect
  }, [connection, autoConnect])

  const { connect, disconnect, reconnect } = connection
  return { socket, ...status, connect, disconnect, reconnect }
}
