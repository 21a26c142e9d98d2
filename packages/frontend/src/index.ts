export * from './components/ui/ConnectionStatus'
export {
  PresenceDot,
  type PresenceDotProps,
  PresenceLabel,
  type PresenceLabelProps,
} from './components/ui/PresenceLabel'
export { ReadReceipts, type ReadReceiptsProps } from './components/ui/ReadReceipts'
export { UnreadBadge, type UnreadBadgeProps } from './components/ui/UnreadBadge'
export * from './lib/client'
export * from './lib/hooks'
export type * from './lib/types/rest'
export * from './lib/types/socket'
