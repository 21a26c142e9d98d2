import type { ChatAction } from '../chat/actions'
import { pick } from './random'
import type { RoomModel } from './roomModel'

const DELTAS = ['a', 'bc ', '한국', '👩‍👩‍👧', '𝒳', '\n\n', '']
const USERS = ['ann', 'bob', 'cem']

/** Every kind of change to a room. */
export const CHANGES: Record<string, (room: RoomModel, random: () => number) => ChatAction[]> = {
  send: (room, random) => room.send(pick(random, USERS)),
  start: (room) => room.start(),
  write: (room, random) =>
    room.writing.length > 0 ? room.write(pick(random, room.writing), pick(random, DELTAS)) : [],
  writeMore: (room, random) =>
    room.writing.length > 0 ? room.write(pick(random, room.writing), pick(random, DELTAS)) : [],
  end: (room, random) =>
    room.writing.length > 0
      ? room.end(pick(random, room.writing), pick(random, ['complete', 'stopped', 'interrupted']))
      : [],
  fail: (room, random) => (room.writing.length > 0 ? room.fail(pick(random, room.writing)) : []),
  enter: (room, random) => room.enter(pick(random, USERS)),
  leave: (room, random) => room.leave(pick(random, USERS)),
  show: (room, random) => room.show(pick(random, USERS), pick(random, ['away', 'offline'])),
  read: (room, random) =>
    room.length > 0 ? room.read(pick(random, USERS), 1 + Math.floor(random() * room.length)) : [],
  edit: (room, random) =>
    room.idsOfOthers.length > 0 ? room.edit(pick(random, room.idsOfOthers)) : [],
  choose: (room, random) => (room.length > 0 ? room.choose(pick(random, room.ids)) : []),
  delete: (room, random) =>
    room.idsOfOthers.length > 0 ? room.delete(pick(random, room.idsOfOthers)) : [],
}

export function change(room: RoomModel, random: () => number): ChatAction[] {
  return pick(random, Object.values(CHANGES))(room, random)
}
