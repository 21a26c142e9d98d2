import { ACK_TIMEOUT_MS } from '../../types/socket'
import { systemClock } from '../time/clock'
import { UnreadRooms } from './rooms'

/** A connection may be in 50 rooms: these leave place for those that are in view. */
const ROOMS_MAX = 20
const PATIENCE_MS = 1_000

/** Counts what is unread; it does nothing before it is given a channel and rooms. */
export function createUnread(roomsMax = ROOMS_MAX): UnreadRooms {
  return new UnreadRooms({
    clock: systemClock,
    ackTimeout: ACK_TIMEOUT_MS,
    roomsMax,
    patience: PATIENCE_MS,
  })
}
