export { createGuest } from './guest'
export {
  addMember,
  createRoom,
  getServerInfo,
  listCharacters,
  listMembers,
  listRooms,
  RestError,
  type RestOptions,
  removeMember,
} from './rest'
