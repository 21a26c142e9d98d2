import type { GuestToken } from '../types/rest'
import { type RestOptions, request } from './rest'

/** A token for somebody who only says what to be called by. */
export function createGuest(name: string, options: RestOptions = {}): Promise<GuestToken> {
  return request({ method: 'POST', path: '/api/guest', body: { name } }, options)
}
