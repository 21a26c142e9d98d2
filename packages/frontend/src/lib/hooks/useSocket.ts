import type { Socket } from 'socket.io-client'
import type {
  AuthRequired,
  ClientToServerEvents,
  ConnectionReplaced,
  ConnectionState,
  ServerToClientEvents,
  SessionRestored,
} from '../types/socket'

export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>

export interface UseSocketOptions {
  url?: string | undefined
  path?: string | undefined
  token?: string | (() => string | Promise<string>) | undefined
  locale?: string | undefined
  autoConnect?: boolean | undefined
  onSessionRestored?: ((data: SessionRestored) => void) | undefined
  onReplaced?: ((data: ConnectionReplaced) => void) | undefined
  onAuthRequired?: ((data: AuthRequired) => void) | undefined
}

export interface UseSocketReturn {
  socket: ChatSocket | null
  isConnected: boolean
  connectionState: ConnectionState
  reconnectAttempts: number
  lastError: Error | null
  connect: () => void
  disconnect: () => void
  reconnect: () => void
}

export function useSocket(_options: UseSocketOptions = {}): UseSocketReturn {
  return {
    socket: null,
    isConnected: false,
    connectionState: 'disconnected',
    reconnectAttempts: 0,
    lastError: null,
    connect: () => undefined,
    disconnect: () => undefined,
    reconnect: () => undefined,
  }
}
