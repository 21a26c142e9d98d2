import { serverOf } from './routing'

export const SERVER = serverOf(location)
