import type { ConnectionState, MessageStatus } from '../../lib/types/socket'

export interface ConnectionStatusProps {
  connectionState: ConnectionState
  onReconnect?: (() => void) | undefined
  locale?: string | undefined
}

export function ConnectionStatus({ connectionState }: ConnectionStatusProps) {
  return connectionState === 'connected' ? null : <div role="status">{connectionState}</div>
}

export interface ConnectionReplacedModalProps {
  isOpen: boolean
  onClose: () => void
  onReconnect: () => void
  /** The server's own sentence, where one is at hand. */
  message?: string | undefined
  locale?: string | undefined
}

export function ConnectionReplacedModal({ isOpen }: ConnectionReplacedModalProps) {
  return isOpen ? <div role="dialog" /> : null
}

export interface MessageStatusIndicatorProps {
  status: MessageStatus
  onRetry?: (() => void) | undefined
  locale?: string | undefined
}

export function MessageStatusIndicator({ status }: MessageStatusIndicatorProps) {
  return <span>{status}</span>
}
