/**
 * All texts of the page in English. User text in them is isolated, so that it does not change their direction. To add a
 * language, add a file of type Catalogue and register it in index.ts.
 */

import { isolated } from './unicode.ts';

const plural = new Intl.PluralRules('en');
const count = (n: number, one: string, other: string) => `${n} ${plural.select(n) === 'one' ? one : other}`;
const quoted = (userText: string) => `“${isolated(userText)}”`;
const EMOJI = 'One emoji can be several characters.';

export const en = {
  language: 'en',
  name: 'Taskmesh',
  skipToTasks: 'Skip to tasks',
  loading: 'Loading…',
  retry: 'Try again',
  close: 'Close',
  save: 'Save',
  quoted,

  login: {
    title: 'Sign in',
    lead: 'Your tasks, live.',
    user: 'Username',
    password: 'Password',
    submit: 'Sign in',
    submitting: 'Signing in…',
    wrong: 'Incorrect username or password.',
    blank: 'This username starts or ends with a blank.',
    expiredTitle: 'Sign in again',
    expiredLead: 'Your session has ended. Your unsaved changes are still here.',
    unreachable: 'Could not connect to Taskmesh',
  },

  account: {
    menu: (user: string) => `Account menu for ${isolated(user)}`,
    logOut: (user: string) => `Sign out ${isolated(user)}`,
    theme: 'Appearance',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
  },

  live: {
    connecting: 'Connecting',
    live: 'Live',
    offline: 'Offline',
    blocked: 'Not live',
    hints: {
      connecting: 'Live updates start when the connection is open.',
      live: 'You see changes as they happen.',
      offline: 'The tasks may be out of date. They update automatically when the connection is back.',
      blocked: 'Your network blocks live updates. The tasks update when you return to this page.',
    },
  },

  fields: {
    title: 'Title',
    description: 'Description',
    status: 'Status',
    priority: 'Priority',
    labels: 'Labels',
    due_time: 'Due',
  },
  statuses: { TODO: 'To do', IN_PROGRESS: 'In progress', DONE: 'Done' },
  priorities: { LOW: 'Low', MEDIUM: 'Medium', HIGH: 'High', URGENT: 'Urgent' },

  tasks: {
    heading: 'Tasks',
    count: (n: number, hasMore: boolean) => (hasMore ? `${n}+` : String(n)),
    countLabel: (n: number, hasMore: boolean) => `${hasMore ? 'At least ' : ''}${count(n, 'task', 'tasks')}`,
    empty: 'No tasks yet',
    emptyLead: 'Add your first task above.',
    emptyColumn: 'No tasks',
    nothingFound: 'No matching tasks',
    nothingFoundLead: 'Try a different search or clear the filters.',
    failed: 'Could not load tasks',
    before: (n: number) => `Show ${count(n, 'task', 'tasks')} before these`,
    after: (n: number) => `Show ${count(n, 'more task', 'more tasks')}`,
    loadingMore: 'Loading more tasks…',
    menu: (title: string) => `Actions for ${quoted(title)}`,
    complete: (title: string) => `Mark ${quoted(title)} as done`,
    reopen: (title: string) => `Mark ${quoted(title)} as not done`,
    moveTo: (status: string) => `Move to ${status}`,
    moveByKey: 'Press Alt with the left or right arrow to move the task to another column, and X to select it.',
    edit: 'Edit',
    delete: 'Delete',
    overdue: 'Overdue',
    focused: 'Selected task',
    unsaved: 'Unsaved changes',
    gone: 'This task was deleted or does not exist.',
    underway: 'Notification pending',
  },

  form: {
    newTitle: 'What needs to be done?',
    add: 'Add',
    details: 'Details',
    labelsHint: 'Press Enter after each label.',
    labelAdded: (label: string) => `Label ${quoted(label)} added`,
    labelRemoved: (label: string) => `Label ${quoted(label)} removed`,
    removeLabel: (label: string) => `Remove label ${isolated(label)}`,
    longLabel: (length: number, max: number) =>
      `A label has at most ${max} characters, and this has ${length}. ${EMOJI}`,
    tooManyLabels: (max: number) => `There are at most ${max} labels. Remove one to add another.`,
    invisibleLabel: 'A label needs a visible character.',
    length: (n: number, max: number) => `${n} of ${max} characters${n > max ? `: too long. ${EMOJI}` : ''}`,
    dueHint: (zone: string) => `Time zone: ${zone}`,
    editing: (title: string) => `Edit ${quoted(title)}`,
    conflict: 'This task was changed while you were editing it',
    conflictLead: 'Your edits are not saved yet. Save them to overwrite the new values, or use the new values.',
    changed: (field: string, value: string) => `${field} is now ${value}`,
    takeOver: 'Use the new values',
    saveAnyway: 'Save my edits',
    none: 'empty',
    deleted: 'This task was deleted. Your text is still here: copy it, or restore the task and save it.',
    restore: 'Restore task',
    discard: 'Discard changes',
  },

  filters: {
    search: 'Search',
    searchHint: 'Search title and description',
    filter: 'Filter',
    active: (n: number) => count(n, 'filter', 'filters'),
    clear: 'Clear filters',
    sort: 'Sort by',
    view: 'View',
    views: { board: 'Board', list: 'List' },
    due: { any: 'Any time', overdue: 'Overdue', today: 'Today', week: 'Next 7 days' },
    label: 'Labels',
    orders: {
      'create_time desc': 'Newest first',
      create_time: 'Oldest first',
      'update_time desc': 'Recently updated',
      due_time: 'Due soonest',
      'priority desc': 'Highest priority',
    },
  },

  messages: {
    created: (title: string) => `${quoted(title)} added`,
    moved: (title: string, status: string) => `${quoted(title)} moved to ${status}`,
    deleted: (title: string) => `${quoted(title)} deleted`,
    restored: (title: string) => `${quoted(title)} restored`,
    kept: (fields: string) => `Changes made elsewhere are kept: ${fields}.`,
    saved: (title: string) => `${quoted(title)} saved`,
    undo: 'Undo',
    conflict: (title: string) => `${quoted(title)} was changed elsewhere`,
    conflictDetail: (fields: string) => `Changed fields: ${fields}. Your change was not saved.`,
    again: 'Continue anyway',
  },

  selection: {
    begin: 'Select',
    hint: 'Select several tasks. You can also press X on a task, or click it with Ctrl, Command or Shift.',
    end: 'End selection',
    region: 'Selected tasks',
    select: (title: string) => `Select ${quoted(title)}`,
    count: (n: number) => `${n} selected`,
    all: (n: number) => `Select all ${n}`,
    complete: 'Complete',
    move: 'Move',
    label: 'Label',
    newLabel: 'Label to add',
    addLabel: 'Add label',
    saving: (n: number) => `Saving ${count(n, 'task', 'tasks')}`,
    progress: (done: number, total: number) => `${done} of ${total}`,
    stop: 'Stop',
    stopping: 'Stopping…',
    moved: (n: number, status: string) => `${count(n, 'task', 'tasks')} moved to ${status}`,
    labelled: (n: number, label: string) => `${count(n, 'task', 'tasks')} labelled ${quoted(label)}`,
    deleted: (n: number) => `${count(n, 'task', 'tasks')} deleted`,
    undone: (n: number) => `${count(n, 'task', 'tasks')} restored`,
    conflicts: (n: number) => `${count(n, 'task was', 'tasks were')} changed elsewhere and left as is.`,
    failed: (n: number) => `${count(n, 'task', 'tasks')} could not be saved.`,
    left: (n: number) => `${count(n, 'task', 'tasks')} not changed.`,
    problems: (n: number) => `${n} not saved`,
    changed: (fields: string) => (fields ? `Changed elsewhere: ${fields}` : 'Changed elsewhere'),
  },

  inbox: {
    open: (unread: number) => (unread ? `Notifications, ${unread} unread` : 'Notifications'),
    heading: 'Notifications',
    empty: 'No notifications yet. You get one when a task is created or is due soon.',
    failed: 'Could not load notifications',
    markRead: 'Mark as read',
    markAllRead: 'Mark all as read',
    unread: 'Unread',
    loadMore: 'Load older notifications',
    kinds: {
      TASK_CREATED: (title: string) => `${quoted(title)} was created`,
      TASK_DUE: (title: string) => `${quoted(title)} is due soon`,
    },
    several: (n: number) => count(n, 'new notification', 'new notifications'),
    delivered: 'Sent by the notification service',
    show: 'Open',
  },

  rateLimit: {
    lead: 'Too many requests. Your changes are kept and sent later.',
    left: (seconds: number) => `Continuing in ${count(seconds, 'second', 'seconds')}.`,
  },

  toasts: { region: 'Messages', dismiss: 'Dismiss' },

  errors: {
    requestId: 'Request ID',
    copy: 'Copy ID',
    copied: 'Copied',
    copyByHand: 'Selected: copy it with the keyboard or the menu',
    rule: (field: string, description: string) => `${field} ${description}.`,
    retryIn: (seconds: number) => `Try again in ${count(seconds, 'second', 'seconds')}.`,
    reasons: {
      SESSION_NOT_READY:
        'Your username and password are correct, but the session did not start in time. Try again. If it happens again, allow cookies for this site.',
      NO_COOKIE:
        'Your username and password are correct, but the browser kept no session cookie. Open Taskmesh over HTTPS or at localhost, and allow cookies for this site.',
    } as Record<string, string>,
    statuses: {
      0: 'Could not reach the server. Check your connection and try again.',
      401: 'You are not signed in.',
      403: 'You are not allowed to do this.',
      404: 'Not found. It may have been deleted.',
      409: 'It is already in that state.',
      412: 'It was changed in the meantime. Check the new version and try again.',
      413: 'This is too large to save.',
      422: 'Some values are not valid.',
      429: 'Too many requests.',
      502: 'The server is temporarily unavailable. Try again.',
      503: 'The server is temporarily unavailable. Try again.',
      504: 'The server took too long to respond. Try again.',
    } as Record<number, string>,
    other: 'Something went wrong. Try again. If it keeps happening, report it with the request ID.',
    part: {
      title: 'This part of the page could not be loaded',
      detail: 'The connection failed, or there is a new version. Your unsaved changes survive a reload.',
      reload: 'Reload',
    },
    page: { 404: 'Page not found', other: 'Something went wrong', back: 'Back to tasks' },
  },
};

export type Catalogue = typeof en;
