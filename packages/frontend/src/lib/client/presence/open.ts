import { systemClock } from '../time/clock'
import { browserActivity } from './activity'
import { PresenceReporter } from './reporter'

/** Watches the person at this page; `idleAfter` in milliseconds. */
export function createPresence(idleAfter?: number): PresenceReporter {
  return new PresenceReporter({ clock: systemClock, activity: browserActivity, idleAfter })
}
